import { launchWorker } from '../launch.ts'
import type { RawPipeCalls } from './raw-pipe-process.ts'
import type { Subject } from './subject.ts'

/** The least that a gateway on Node can do with Node's own means; it looks at nothing. */
export const rawPipe: Subject = {
  name: 'raw-pipe',
  async start({ upstreamPort }) {
    const worker = await launchWorker<RawPipeCalls>(new URL('raw-pipe-process.ts', import.meta.url))
    const port = await worker.call('listen', upstreamPort)
    return { target: { port, model: 'grain', headers: {} }, pids: [worker.pid], stop: worker.stop }
  },
}
