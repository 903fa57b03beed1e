import { describeProvider } from '@millrace/conformance'
import { qwen } from './index.ts'

await describeProvider(qwen, {
  config: url => ({ kind: 'qwen', apiKey: 'test-key', baseUrl: url }),
  fixtures: new URL('../fixtures/', import.meta.url),
})
