import { describe, expect, it } from 'vitest'
import { toWish } from './wishes.ts'

const NOTHING = { usual: '', model: 'qwen3-max', prompt: 'Does the mill run?', header: undefined }

describe('toWish', () => {
  it.each([
    ['nothing', {}, ''],
    ['the usual', { usual: 'words=3' }, 'words=3'],
    ["the model's name", { model: 'qwen3-max?words=3' }, 'words=3'],
    ['the prompt', { prompt: 'Run. [simulate: script=tool&words=3] Now!' }, 'script=tool&words=3'],
    [
      'JSON in the prompt',
      { prompt: '[simulate: arguments={"a": ["}", "\\"]"]}&name=f] [simulate: name=g]' },
      `arguments=${encodeURIComponent('{"a": ["}", "\\"]"]}').replaceAll('%20', '+')}&name=f`,
    ],
    ['JSON in the prompt that has no end', { prompt: '[simulate: arguments={"a": 1]' }, 'arguments=%7B%22a%22%3A+1'],
    ['a prompt without an end', { prompt: '[simulate: words=3' }, ''],
    ['the header', { header: 'eol=crlf' }, 'eol=crlf'],
    [
      'all of them',
      { usual: 'words=1&pace=1', model: 'm?words=2&split=2', header: 'split=3' },
      'words=2&pace=1&split=3',
    ],
    ['a script over others', { usual: 'script=tool&name=look', model: 'm?script=text' }, 'script=text'],
    ['an error over scripts', { model: 'm?script=text&words=3', header: 'error=waf' }, 'error=waf'],
  ])('reads %s', (_, sources, wish) => {
    expect(toWish({ ...NOTHING, ...sources })).toBe(wish)
  })
})
