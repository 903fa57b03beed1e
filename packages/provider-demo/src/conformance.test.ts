import { describeProvider } from '@millrace/conformance'
import { demo } from './index.ts'

await describeProvider(demo, {
  config: () => ({ kind: 'demo' }),
  fixtures: new URL('../fixtures/', import.meta.url),
  without: {
    reasoning: 'it says what it was told',
    tools: 'it says what it was told',
    failure: 'nothing can come between two words',
    upstream: 'it answers by itself',
  },
})
