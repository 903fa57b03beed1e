import { GatewayError, isObject } from '@millrace/core'
import type { Image } from './conversation-state.ts'

const FORMATS: Readonly<Record<string, Image['format']>> = {
  gif: 'gif',
  jpeg: 'jpeg',
  jpg: 'jpeg',
  png: 'png',
  webp: 'webp',
}
/** How each format begins, in base64. */
const BEGINNINGS: Readonly<Record<Image['format'], string>> = {
  gif: 'R0lGOD',
  jpeg: '/9j/',
  png: 'iVBORw0KGgo',
  webp: 'UklGR',
}
const MAX_BYTES = 10_000_000
const ADVICE = 'Amazon Q fetches nothing: send the image itself, as "data:image/png;base64,…".'

/**
 * An `image_url`, as an object or as the URL alone, as the service takes images.
 * @throws {GatewayError} `invalid_value` for what is no base64 data URL of a GIF, JPEG, PNG or WebP of at most 10 MB
 */
export function toImage(image: unknown, param: string): Image {
  const url = isObject(image) ? image['url'] : image
  if (typeof url !== 'string') throw invalid(param, `The image has no URL. ${ADVICE}`)
  const comma = url.indexOf(',')
  const head = /^data:image\/([\w.+-]+)(?:;[^;,]*)*;base64,$/i.exec(url.slice(0, Math.min(comma + 1, 256)))
  if (head === null) throw invalid(param, `The URL is no data URL of an image in base64. ${ADVICE}`)
  const name = head[1]!.toLowerCase()
  const format = Object.hasOwn(FORMATS, name) ? FORMATS[name] : undefined
  if (format === undefined) throw invalid(param, `Amazon Q takes no "${name}" images: send a PNG, JPEG, GIF or WebP.`)
  const bytes = toBase64(url.slice(comma + 1), param)
  return { format: formatOf(bytes) ?? format, source: { bytes } }
}

/** What an image is, whatever it is called: clients are often wrong, and the service refuses what goes by a wrong name. */
function formatOf(base64: string): Image['format'] | undefined {
  const formats = Object.keys(BEGINNINGS) as Image['format'][]
  return formats.find(format => base64.startsWith(BEGINNINGS[format]))
}

/** The same base64 without line breaks and with its padding. */
function toBase64(text: string, param: string): string {
  const bytes = Buffer.from(text, 'base64')
  if (bytes.length > MAX_BYTES) {
    throw invalid(param, `The image has ${bytes.length} bytes, and Amazon Q takes ${MAX_BYTES}: send a smaller one.`)
  }
  const base64 = bytes.toString('base64')
  if (base64 === '' || (base64 !== text && digitsOf(base64) !== digitsOf(text))) {
    throw invalid(param, 'What follows "base64," is no base64, or nothing: encode the image again.')
  }
  return base64
}

function digitsOf(base64: string): string {
  return base64.replaceAll(/[\s=]+/g, '')
}

function invalid(param: string, message: string): GatewayError {
  return new GatewayError('invalid_value', message, { param })
}
