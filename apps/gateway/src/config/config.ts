import { resolve } from 'node:path'
import { expandHome } from '@millrace/accounts'
import type { Timeouts } from '@millrace/core'
import { parseDuration, parseSize } from './quantities.ts'
import type { ConfigFile } from './schema.ts'

interface ProviderConfig {
  readonly kind: string
  /** Whether clients that ask for a stream get one. */
  readonly streaming: boolean
  readonly defaultModel?: string
  readonly models?: readonly string[]
  readonly timeouts: Timeouts
  /** What the definition of this kind takes in `open`. */
  readonly settings: { readonly kind: string } & Readonly<Record<string, unknown>>
}

/** A key that clients may use. */
export interface ClientKey {
  /** Whose it is, where that is said. */
  readonly name?: string
  readonly key: string
}

/** The configuration as the gateway uses it: every default filled in, times in milliseconds, sizes in bytes. */
export interface Config {
  readonly server: {
    readonly host: string
    readonly port: number
    readonly bodyLimitBytes: number
    readonly drain: { readonly delayMs: number; readonly timeoutMs: number }
  }
  /** Without keys everybody may call. */
  readonly auth: { readonly keys: readonly ClientKey[] }
  /** Without it there is no admin API. */
  readonly adminKey?: string
  /** An absolute path. */
  readonly stateDir: string
  readonly defaultProvider?: string
  /** Name → the model that it stands for. */
  readonly aliases?: ReadonlyMap<string, string>
  /** By name, in the order of the file. */
  readonly providers: ReadonlyMap<string, ProviderConfig>
  readonly stream: {
    /** 0: only at the first frame. */
    readonly commitAfterMs: number
    /** 0: never. */
    readonly heartbeatMs: number
    readonly stallMs: number
  }
  readonly demo: boolean
  /** False where nothing is streamed, whatever a provider's own `streaming` says. */
  readonly streaming: boolean
  readonly log: { readonly level: ConfigFile['log']['level'] }
}

/** @param streaming false turns streaming off for every provider */
export function toConfig(file: ConfigFile, streaming: boolean): Config {
  const { server, auth, admin, stateDir, defaultProvider, aliases, providers, stream, demo, log } = file
  return {
    server: {
      host: server.host,
      port: server.port,
      bodyLimitBytes: parseSize(server.bodyLimit),
      drain: { delayMs: toMs(server.drain.delay), timeoutMs: toMs(server.drain.timeout) },
    },
    auth: { keys: auth.keys.map(entry => (typeof entry === 'string' ? { key: entry } : entry)).filter(hasKey) },
    ...(admin.key && { adminKey: admin.key }),
    stateDir: resolve(expandHome(stateDir)),
    ...(defaultProvider !== undefined && { defaultProvider }),
    ...(aliases !== undefined && { aliases: new Map(Object.entries(aliases)) }),
    providers: new Map(
      Object.entries(providers).map(([name, provider]) => [name, toProviderConfig(provider, streaming)]),
    ),
    stream: {
      commitAfterMs: toMs(stream.commitAfter),
      heartbeatMs: toMs(stream.heartbeat),
      stallMs: toMs(stream.stall),
    },
    demo,
    streaming,
    log,
  }
}

function hasKey({ key }: ClientKey): boolean {
  return key !== ''
}

function toProviderConfig(provider: ConfigFile['providers'][string], streaming: boolean): ProviderConfig {
  const { streaming: ownStreaming, defaultModel, models, timeouts, ...settings } = provider
  return {
    kind: provider.kind,
    streaming: streaming && ownStreaming,
    ...(defaultModel !== undefined && { defaultModel }),
    ...(models !== undefined && { models }),
    timeouts: {
      connect: toMs(timeouts.connect),
      firstByte: toMs(timeouts.firstByte),
      idle: toMs(timeouts.idle),
      total: toMs(timeouts.total),
    },
    settings,
  }
}

function toMs(duration: string | 0): number {
  return parseDuration(String(duration))
}
