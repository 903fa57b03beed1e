import { expect, test } from 'vitest'
import { ConfigError, toPathText } from './config-error.ts'

test('says all mistakes in the order of the file, each with what is known of it', () => {
  const error = new ConfigError('gateway.yaml', [
    { path: 'demo', position: { line: 12, column: 1 }, message: 'third' },
    { path: 'server.port', position: { line: 2, column: 9 }, origin: '${PORT}', message: 'second' },
    { path: '', position: { line: 2, column: 3 }, message: 'first' },
    { path: 'server.host', origin: '--host', message: 'outside' },
    { path: 'STREAM', message: 'also outside' },
  ])
  expect(error.message).toBe(
    [
      'The configuration in gateway.yaml has 5 mistakes:',
      '  server.host (from --host): outside',
      '  STREAM: also outside',
      '  line 2, column 3: first',
      '  server.port (line 2, column 9, from ${PORT}): second',
      '  demo (line 12, column 1): third',
    ].join('\n'),
  )
})

test('one mistake, and no file', () => {
  const error = new ConfigError(undefined, [{ path: '', message: 'something' }])
  expect(error.message).toBe('The configuration has one mistake:\n  something')
})

test.each([
  [[], ''],
  [['server', 'port'], 'server.port'],
  [['providers', 'gpt-4.1', 'models', 0], 'providers["gpt-4.1"].models[0]'],
  [['providers', 'a', 'headers', 'x-team'], 'providers.a.headers.x-team'],
])('%j is written %s', (path, text) => {
  expect(toPathText(path)).toBe(text)
})
