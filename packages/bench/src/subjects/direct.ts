import type { Subject } from './subject.ts'

/** Nothing in between: what the clients and the upstream take by themselves. */
export const direct: Subject = {
  name: 'direct',
  start: async ({ upstreamPort }) => ({
    target: { port: upstreamPort, model: 'grain', headers: {} },
    pids: [],
    stop: async () => undefined,
  }),
}
