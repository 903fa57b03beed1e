import { connect, type Socket } from 'node:net'
import { createResponseReader } from './response-reader.ts'

export interface Connection {
  /** Sends a request; only when there is no other under way. */
  send(request: Buffer): void
  close(): void
}

export interface ConnectionEvents {
  body(text: string): void
  end(status: number): void
  /** The connection broke under a request. */
  failed(reason: string): void
}

/** All sockets are read into it, one after the other: what comes is looked at before the next read. */
const buffer = Buffer.allocUnsafeSlow(256 * 1024)

/** A connection to a server on this machine, made when it is first needed, and anew when the server has ended it. */
export function createConnection(port: number, events: ConnectionEvents): Connection {
  let socket: Socket | undefined
  let busy = false

  function open(): Socket {
    const read = createResponseReader({
      body: events.body,
      end(status, reusable) {
        busy = false
        if (!reusable) drop()
        events.end(status)
      },
    })
    const opened = connect({
      host: '127.0.0.1',
      port,
      noDelay: true,
      onread: {
        buffer,
        callback(length) {
          read(buffer.toString('latin1', 0, length))
          return true
        },
      },
    })
    let reason = 'the connection was closed'
    opened.on('error', error => (reason = error.message))
    opened.on('close', () => {
      if (socket !== opened) return
      socket = undefined
      if (!busy) return
      busy = false
      events.failed(reason)
    })
    return opened
  }

  function drop(): void {
    const dropped = socket
    socket = undefined
    dropped?.destroy()
  }

  return {
    send(request) {
      busy = true
      socket ??= open()
      socket.write(request)
    },
    close: drop,
  }
}
