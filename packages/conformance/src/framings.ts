/** A list of lines, without their ends → bytes in which the same is said in another way. */
type Framing = (lines: readonly string[]) => string

/** The ways of framing that server-sent events allow, and servers use: name → a stream's bytes in it. */
export const FRAMINGS: Readonly<Record<string, (sse: Buffer) => Buffer>> = Object.fromEntries(
  Object.entries({
    LF: lines => lines.join('\n'),
    CR: lines => lines.join('\r'),
    CRLF: lines => lines.join('\r\n'),
    'a byte order mark': lines => `\u00ef\u00bb\u00bf${lines.join('\n')}`,
    'comments in between': lines => lines.flatMap(line => [': waiting', line, ':']).join('\n'),
    'no blank after `data:`': lines => lines.map(line => line.replace(/^data: /, 'data:')).join('\n'),
    'several data lines': lines => lines.flatMap(spread).join('\n'),
    'several data lines, CRLF': lines => lines.flatMap(spread).join('\r\n'),
    'empty events': lines => lines.flatMap(line => (line === '' ? ['', '', 'data:', '', ''] : [line])).join('\n'),
    'fields that say nothing': lines =>
      lines.flatMap(line => (line.startsWith('data') ? ['id: 7', 'retry: 10', 'x', line] : [line])).join('\n'),
  } satisfies Record<string, Framing>).map(([name, framing]) => [
    name,
    // Byte by byte, so that what is no UTF-8 stays as it is.
    sse => Buffer.from(framing(sse.toString('latin1').split(/\r\n|\r|\n/)), 'latin1'),
  ]),
)

/** A data line that is JSON, on as many lines as that can have, and with the empty line that such an event needs. */
function spread(line: string): string[] {
  const data = /^data: ?(?=[[{])(.*)/s.exec(line)?.[1]
  if (data === undefined) return [line]
  try {
    const json = JSON.stringify(JSON.parse(Buffer.from(data, 'latin1').toString()), undefined, 1)
    return [
      ...Buffer.from(json)
        .toString('latin1')
        .split('\n')
        .map(part => `data: ${part}`),
      '',
    ]
  } catch {
    return [line]
  }
}
