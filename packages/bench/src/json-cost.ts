// A process of its own: what it costs to parse a request's body and to write it again, and nothing else.
import { readCpuMs } from './cpu.ts'
import { answerCalls } from './launch.ts'
import { createPrompts } from './prompts.ts'

const calls = {
  /** Processor time for one body, microseconds, once the engine has warmed up to it. */
  cost({ promptBytes, milliseconds }: { promptBytes: number; milliseconds: number }): number {
    const body = createPrompts({ model: 'grain', stream: false, promptBytes })(1)
    rewrite(body, milliseconds / 2)
    const from = readCpuMs([process.pid])
    const count = rewrite(body, milliseconds)
    return ((readCpuMs([process.pid]) - from) * 1000) / count
  },
}

/** How often that could be done in this time. */
function rewrite(body: string, milliseconds: number): number {
  const end = performance.now() + milliseconds
  let count = 0
  for (; performance.now() < end; count++) {
    if (JSON.stringify(JSON.parse(body)).length !== body.length) throw new Error('It came out other than it went in.')
  }
  return count
}

export type JsonCostCalls = typeof calls

answerCalls(calls)
