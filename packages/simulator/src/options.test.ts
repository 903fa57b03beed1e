import { describe, expect, it } from 'vitest'
import { OptionError, parseOptions, splitModel } from './options.ts'

const KNOWN = ['words', 'eol', 'bom', 'value']

describe('splitModel', () => {
  it.each([
    ['text', 'text', ''],
    ['text?words=2&pace=5', 'text', 'words=2&pace=5'],
    ['not-json?value=a?b', 'not-json', 'value=a?b'],
    ['', '', ''],
  ])('%s', (model, name, query) => {
    expect(splitModel(model)).toEqual({ name, query })
  })
})

describe('parseOptions', () => {
  it('reads values, and falls back where there are none', () => {
    const options = parseOptions('words=3&bom=1&eol=crlf&value=%7Boops', KNOWN)
    expect(options.number('words', 20)).toBe(3)
    expect(options.number('size', 7)).toBe(7)
    expect(options.flag('bom', false)).toBe(true)
    expect(options.oneOf('eol', ['lf', 'crlf'], 'lf')).toBe('crlf')
    expect(options.text('value')).toBe('{oops')
    expect(options.text('type')).toBeUndefined()
    expect(options.has('words')).toBe(true)
  })

  it('takes defaults only for what is not given', () => {
    const options = parseOptions('words=3', KNOWN).withDefaults({ words: '9', eol: 'cr' })
    expect(options.number('words', 20)).toBe(3)
    expect(options.text('eol')).toBe('cr')
  })

  it.each(['wrods=3', '__proto__=1'])('refuses options that it does not know: %s', query => {
    expect(() => parseOptions(query, KNOWN)).toThrow(OptionError)
  })

  it.each(['words=', 'words=many', 'words=-1', 'words=Infinity'])('refuses numbers that are none: %s', query => {
    expect(() => parseOptions(query, KNOWN).number('words', 20)).toThrow(OptionError)
  })

  it('refuses values that are not in the list', () => {
    expect(() => parseOptions('eol=none', KNOWN).oneOf('eol', ['lf', 'cr'], 'lf')).toThrow(/lf, cr/)
    expect(() => parseOptions('bom=yes', KNOWN).flag('bom', false)).toThrow(OptionError)
  })
})
