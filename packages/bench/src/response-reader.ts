export interface ResponseEvents {
  /** A piece of the body, without the coding around it. */
  body(text: string): void
  /** The answer is complete; `reusable`: the connection may carry another request. */
  end(status: number, reusable: boolean): void
}

const HEAD_END = '\r\n\r\n'
const LINE_END = '\r\n'

/**
 * Takes what comes over one connection, as latin1 text cut anywhere, and tells of the answers in it. It knows only the
 * two ways in which an answer with a body says how long it is, since nothing else is asked for.
 */
export function createResponseReader(events: ResponseEvents): (text: string) => void {
  let rest = ''
  let status = 0
  let reusable = true
  let chunked = false
  /** Bytes of the body, or of the chunk, that are still to come. */
  let left = 0
  let step = readHead

  /** Each step takes what it can and returns where it stopped, or -1 when it needs more text. */
  function readHead(text: string, at: number): number {
    const end = text.indexOf(HEAD_END, at)
    if (end === -1) return -1
    const head = text.slice(at, end).toLowerCase()
    status = Number(head.slice(9, 12))
    if (status < 200) return end + HEAD_END.length
    reusable = !head.includes('connection: close')
    chunked = head.includes('transfer-encoding: chunked')
    left = Number(/\ncontent-length: *(\d+)/.exec(head)?.[1] ?? 0)
    step = chunked ? readSize : readData
    if (!chunked && left === 0) finish()
    return end + HEAD_END.length
  }

  function readSize(text: string, at: number): number {
    const end = text.indexOf(LINE_END, at)
    if (end === -1) return -1
    left = Number.parseInt(text.slice(at, end), 16)
    step = left === 0 ? readTrailers : readData
    return end + LINE_END.length
  }

  function readData(text: string, at: number): number {
    const end = Math.min(text.length, at + left)
    if (end === at) return -1
    left -= end - at
    events.body(at === 0 && end === text.length ? text : text.slice(at, end))
    if (left === 0) {
      if (chunked) step = readDataEnd
      else finish()
    }
    return end
  }

  function readDataEnd(text: string, at: number): number {
    if (text.length < at + LINE_END.length) return -1
    step = readSize
    return at + LINE_END.length
  }

  function readTrailers(text: string, at: number): number {
    const end = text.indexOf(LINE_END, at)
    if (end === -1) return -1
    if (end === at) finish()
    return end + LINE_END.length
  }

  function finish(): void {
    step = readHead
    events.end(status, reusable)
  }

  return piece => {
    const text = rest === '' ? piece : rest + piece
    let at = 0
    while (at < text.length) {
      const next = step(text, at)
      if (next === -1) break
      at = next
    }
    rest = at === text.length ? '' : text.slice(at)
  }
}
