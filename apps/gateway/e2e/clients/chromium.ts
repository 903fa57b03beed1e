import { execFile } from 'node:child_process'
import { access, constants } from 'node:fs/promises'
import { delimiter, join } from 'node:path'
import { promisify } from 'node:util'
import { chromium, type Browser } from 'playwright-core'

const run = promisify(execFile)

const NAMES = ['chromium', 'chromium-browser', 'google-chrome-stable', 'google-chrome']

/** Keeps the browser from asking for anything outside; these names lead to this machine. */
export const FOREIGN_HOST = 'page.example'
const RULES = `MAP ${FOREIGN_HOST} 127.0.0.1, MAP * ~NOTFOUND, EXCLUDE localhost, EXCLUDE 127.0.0.1`

const FLAGS = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
  `--host-resolver-rules=${RULES}`,
]

/**
 * Where the system's own Chromium is. Where there is none, and this is root on a Debian, it is installed.
 * @throws {Error} there is none
 */
export async function chromiumFile(): Promise<string> {
  return (await findChromium()) ?? (await installChromium())
}

/** That Chromium without a window, with a profile of its own. */
export function launchChromium(executablePath: string): Promise<Browser> {
  return chromium.launch({ executablePath, headless: true, args: FLAGS })
}

async function findChromium(): Promise<string | undefined> {
  const folders = (process.env['PATH'] ?? '').split(delimiter)
  for (const file of folders.flatMap(folder => NAMES.map(name => join(folder, name)))) {
    const isThere = await access(file, constants.X_OK).then(
      () => true,
      () => false,
    )
    if (isThere) return file
  }
  return undefined
}

async function installChromium(): Promise<string> {
  if (process.getuid?.() !== 0) throw new Error('no Chromium is installed, and only root may install it')
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' }
  await run('apt-get', ['update'], { env })
  await run('apt-get', ['install', '--yes', '--no-install-recommends', 'chromium'], { env })
  const installed = await findChromium()
  if (installed === undefined) throw new Error('the package chromium brought no Chromium')
  return installed
}
