import { describeProvider } from '@millrace/conformance'
import { amazonQ } from './index.ts'

await describeProvider(amazonQ, {
  config: url => ({ kind: 'amazon-q', accessToken: 'test-token', endpoint: url }),
  fixtures: new URL('../fixtures/', import.meta.url),
  endsWithBody: true,
})
