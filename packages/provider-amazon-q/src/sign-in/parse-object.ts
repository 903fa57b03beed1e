import { isObject, parseJson, type Json } from '../json.ts'

/** The JSON object that a text holds; undefined where it holds none. */
export function parseObject(text: string): Json | undefined {
  const value = parseJson(text)
  return isObject(value) ? value : undefined
}
