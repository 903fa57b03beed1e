import type { ProviderDeps } from './provider.ts'

/** A sign-in, as the command line asks for it. */
export interface LoginRequest {
  /** The account that it is for. */
  readonly name: string
  /** The absolute path of the file that is to hold the credential. */
  readonly path: string
  /** What was given of {@link SignIn.options}, by name. */
  readonly options: Readonly<Record<string, string>>
}

/** A sign-in that waits for a person. */
export interface PendingLogin {
  /** Where to approve it, code included: to be shown as it is, and as a QR code. */
  readonly url: string
  /** To be compared with what the page shows; empty where there is none. */
  readonly userCode: string
  /** Unix time, milliseconds. */
  readonly expiresAt: number
  /** Waits until it is approved; then the credential is in the file. @throws {LoginError} it comes to nothing */
  finish(signal: AbortSignal): Promise<void>
}

/** A sign-in comes to nothing. `message` may be shown. */
export class LoginError extends Error {
  override readonly name = 'LoginError'
}

/** How a kind of provider signs accounts in: what `millrace login` runs. */
export interface SignIn<Config> {
  /** What the command line may say besides the account: `--NAME <value>`. */
  readonly options?: readonly { readonly name: string; readonly value: string; readonly description: string }[]
  /** The file of the account of this name in the configuration, as it is written there; undefined where it names none. */
  fileOf(config: Config, name: string): string | undefined
  /** The lines that make an account of the file, for the configuration: one member of `accounts`, as plain data. */
  toAccount(name: string, path: string): Readonly<Record<string, unknown>>
  /**
   * Begins a sign-in; undefined where nobody has to approve anything, and the credential is in the file already. `config`
   * is that of the provider, or what its kind has by default where none is configured.
   * @throws {LoginError} it cannot be begun. @throws {UpstreamError} of the connection
   */
  start(
    config: Config,
    request: LoginRequest,
    deps: ProviderDeps,
    signal: AbortSignal,
  ): Promise<PendingLogin | undefined>
}
