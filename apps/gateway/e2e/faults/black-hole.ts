import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'

/** Listens and accepts nothing. Ends by itself, should whoever started it be gone. */
const LISTENER = `
  const server = require('node:net').createServer().listen({ port: 0, host: '127.0.0.1', backlog: 1 }, () => {
    require('node:fs').writeSync(1, String(server.address().port))
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 120_000)
    process.exit()
  })`

/** More than the system lets wait for a listener that asked for one. */
const MAX_WAITING = 16
const UNANSWERED_MS = 200

export interface BlackHole extends AsyncDisposable {
  readonly port: number
}

/** A port that swallows every attempt to connect: its listener's queue is full, and nobody takes anything out of it. */
export async function startBlackHole(): Promise<BlackHole> {
  const child = spawn(process.execPath, ['-e', LISTENER], { stdio: ['ignore', 'pipe', 'inherit'] })
  const exited = once(child, 'exit')
  const [text] = (await once(child.stdout, 'data')) as [Buffer]
  const port = Number(text.toString())
  const sockets: Socket[] = []
  for (let connected = true; connected && sockets.length < MAX_WAITING;) {
    const socket = connect(port, '127.0.0.1')
    socket.on('error', () => undefined)
    sockets.push(socket)
    const leave = new AbortController()
    const answered = once(socket, 'connect', { signal: leave.signal }).then(() => true)
    connected = await Promise.race([answered, sleep(UNANSWERED_MS, false)])
    answered.catch(() => undefined)
    leave.abort()
  }
  return {
    port,
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy()
      child.kill('SIGKILL')
      await exited
    },
  }
}
