/** One build stage, as far as a build without Docker needs it. */
export interface Stage {
  readonly workdir: string
  readonly user: string | undefined
  readonly env: Readonly<Record<string, string>>
  /** `COPY SOURCE… TARGET` from the build context or, with `from`, from another stage. */
  readonly copies: readonly {
    readonly from: string | undefined
    readonly sources: readonly string[]
    readonly target: string
  }[]
  /** Shell commands. */
  readonly runs: readonly string[]
  /** The entry point and its arguments. */
  readonly command: readonly string[]
  readonly healthcheck: readonly string[]
}

type Instruction = readonly [name: string, text: string]

/** A Dockerfile → its stages, in order. @throws {Error} an instruction that is not known here: nothing is passed over */
export function parseDockerfile(text: string): readonly Stage[] {
  const stages: Instruction[][] = []
  for (const [name, rest] of instructionsOf(text)) {
    if (name === 'FROM') stages.push([])
    else if (!KNOWN.has(name)) throw new Error(`The instruction ${name} is not known here.`)
    else stages.at(-1)!.push([name, rest])
  }
  return stages.map(toStage)
}

const KNOWN = new Set([
  'WORKDIR',
  'USER',
  'ENV',
  'COPY',
  'RUN',
  'ENTRYPOINT',
  'CMD',
  'HEALTHCHECK',
  'LABEL',
  'EXPOSE',
  'VOLUME',
])

function instructionsOf(text: string): Instruction[] {
  const lines = text
    .replace(/^\s*#.*\n/gm, '')
    .replace(/\\\n\s*/g, '')
    .split('\n')
  return lines.filter(line => line !== '').map(line => [line.split(' ', 1)[0]!, line.replace(/^\S+\s+/, '')])
}

function toStage(instructions: readonly Instruction[]): Stage {
  const all = (wanted: string): string[] => instructions.filter(([name]) => name === wanted).map(([, text]) => text)
  const last = (wanted: string): string | undefined => all(wanted).at(-1)
  return {
    workdir: last('WORKDIR') ?? '/',
    user: last('USER'),
    env: Object.fromEntries(all('ENV').flatMap(text => text.split(/\s+/).map(toPair))),
    copies: all('COPY').map(toCopy),
    runs: all('RUN'),
    command: [...toList(last('ENTRYPOINT')), ...toList(last('CMD'))],
    healthcheck: toList(last('HEALTHCHECK')?.replace(/^.*?CMD\s+/, '')),
  }
}

/** `NAME=value` */
function toPair(text: string): [name: string, value: string] {
  const mark = text.indexOf('=')
  return [text.slice(0, mark), text.slice(mark + 1)]
}

function toCopy(text: string): Stage['copies'][number] {
  const words = text.split(/\s+/)
  const paths = words.filter(word => !word.startsWith('--'))
  const from = words.find(word => word.startsWith('--from='))?.slice('--from='.length)
  return { from, sources: paths.slice(0, -1), target: paths.at(-1)! }
}

/** The form `["node", "x.js"]`; none other is used. */
function toList(text: string | undefined): readonly string[] {
  return text === undefined ? [] : (JSON.parse(text) as string[])
}
