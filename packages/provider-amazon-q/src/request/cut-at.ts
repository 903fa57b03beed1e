/** The first `length` UTF-16 units of a text at most, and never half a character. */
export function cutAt(text: string, length: number): string {
  if (text.length <= length) return text
  const isHalf = (text.charCodeAt(length - 1) & 0xfc00) === 0xd800
  return text.slice(0, isHalf ? length - 1 : length)
}
