import { expect, test } from 'vitest'
import { toImage } from './image.ts'

test.for<[what: string, image: unknown, format: string, bytes: string]>([
  ['an object with a URL', { url: 'data:image/png;base64,AAAA', detail: 'low' }, 'png', 'AAAA'],
  ['the URL alone', 'data:image/gif;base64,AAAA', 'gif', 'AAAA'],
  ['another name for JPEG, and capitals', 'data:image/JPG;BASE64,AAAA', 'jpeg', 'AAAA'],
  ['parameters', 'data:image/webp;charset=utf-8;base64,AAAA', 'webp', 'AAAA'],
  ['lines', 'data:image/png;base64,AAAA\r\nAAAA\n', 'png', 'AAAAAAAA'],
  ['a JPEG that is called a PNG', 'data:image/png;base64,/9j/AAAA', 'jpeg', '/9j/AAAA'],
  ['no padding', 'data:image/png;base64,AAA', 'png', 'AAA='],
])('%s', ([, image, format, bytes]) => {
  expect(toImage(image, 'here')).toEqual({ format, source: { bytes } })
})

test.for<[what: string, image: unknown, message: RegExp]>([
  ['no URL', { detail: 'low' }, /no URL.*send the image itself/],
  ['a URL elsewhere', { url: 'https://example.org/a,b.png' }, /no data URL.*send the image itself/],
  ['a data URL without base64', 'data:image/png,AAAA', /no data URL of an image in base64/],
  ['a data URL of no image', 'data:application/pdf;base64,AAAA', /no data URL of an image/],
  ['a data URL without an end', 'data:image/png;base64', /no data URL/],
  ['a format the service does not know', 'data:image/tiff;base64,AAAA', /no "tiff" images: send a PNG/],
  ['a format of a strange name', 'data:image/constructor;base64,AAAA', /no "constructor" images/],
  ['no bytes', 'data:image/png;base64,', /is no base64, or nothing/],
  ['no base64', 'data:image/png;base64,AA!A', /is no base64/],
  ['too many bytes', `data:image/png;base64,${'A'.repeat(13_333_340)}`, /10000005 bytes, and Amazon Q takes 10000000/],
])('%s is refused', ([, image, message]) => {
  expect(() => toImage(image, 'here')).toThrow(
    expect.objectContaining({ code: 'invalid_value', param: 'here', message: expect.stringMatching(message) }),
  )
})
