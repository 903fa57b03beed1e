import { BlockList, isIP } from 'node:net'

const loopback = new BlockList()
loopback.addSubnet('127.0.0.0', 8)
loopback.addAddress('::1', 'ipv6')

const privateRanges = new BlockList()
privateRanges.addSubnet('10.0.0.0', 8)
privateRanges.addSubnet('172.16.0.0', 12)
privateRanges.addSubnet('192.168.0.0', 16)
privateRanges.addSubnet('fc00::', 7, 'ipv6')

/** Whether only this machine can reach `host`, a name or an address. */
export function isLoopback(host: string): boolean {
  const name = toName(host)
  return name === 'localhost' || name.endsWith('.localhost') || isIn(loopback, name)
}

/** Whether `host` is named as one in the own house: loopback, a private address, or a name that only a local resolver knows. */
function isLocal(host: string): boolean {
  const name = toName(host)
  if (isLoopback(name) || isIn(privateRanges, name)) return true
  return isIP(name) === 0 && (!name.includes('.') || /\.(?:local|internal)$/.test(name))
}

/** In lower case, without the brackets of an IPv6 address in a URL. */
function toName(host: string): string {
  return host.toLowerCase().replace(/^\[(.*)\]$/, '$1')
}

function isIn(ranges: BlockList, host: string): boolean {
  const family = isIP(host)
  return family !== 0 && ranges.check(host, family === 6 ? 'ipv6' : 'ipv4')
}

/** Whether a call to `url` would come back to a gateway that listens on `host` and `port`. */
export function leadsTo(url: URL, host: string, port: number): boolean {
  const urlPort = Number(url.port) || (url.protocol === 'https:' ? 443 : 80)
  return urlPort === port && (isLoopback(url.hostname) || toName(url.hostname) === toName(host))
}

/** Why no calls with keys in them may be sent to `url`, or undefined where they may. */
export function mistakeIn(url: URL): string | undefined {
  if (url.protocol !== 'https:' && url.protocol !== 'http:') return 'must begin with https:// or http://'
  if (url.username !== '' || url.password !== '') return 'must not hold a user name or a password: use `apiKey`'
  if (url.search !== '' || url.hash !== '') return 'must end with its path: leave out what begins with `?` or `#`'
  if (url.protocol === 'http:' && !isLocal(url.hostname)) {
    return `would send keys and prompts unencrypted to ${url.hostname}: use https:// (http:// is for hosts in your own network)`
  }
  return undefined
}
