import { describeProvider } from '@millrace/conformance'
import { openai } from './index.ts'

await describeProvider(openai, {
  config: url => ({ kind: 'openai', baseUrl: url, apiKey: 'test-key' }),
  fixtures: new URL('../fixtures/', import.meta.url),
})
