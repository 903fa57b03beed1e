import { expect, test } from 'vitest'
import { isLoopback, leadsTo, mistakeIn } from './base-url.ts'

test.each([
  'https://api.example.com/v1',
  'https://203.0.113.7/v1',
  'http://localhost:11434/v1',
  'http://vllm.localhost/v1',
  'http://127.0.0.1:8000/v1',
  'http://127.9.9.9/v1',
  'http://2130706433/v1',
  'http://[::1]:8000/v1',
  'http://[::ffff:127.0.0.1]/v1',
  'http://ollama:11434/v1',
  'http://box.local/v1',
  'http://vllm.prod.internal/v1',
  'http://host.docker.internal:11434/v1',
  'http://10.1.2.3/v1',
  'http://172.16.0.1/v1',
  'http://172.31.255.255/v1',
  'http://192.168.178.20/v1',
  'http://[fd00::1]/v1',
])('%s may be used', url => {
  expect(mistakeIn(new URL(url))).toBeUndefined()
})

test.each([
  ['http://api.example.com/v1', 'unencrypted to api.example.com'],
  ['http://localhost.example.com/v1', 'unencrypted'],
  ['http://my.notlocal/v1', 'unencrypted'],
  ['http://8.8.8.8/v1', 'unencrypted'],
  ['http://134744072/v1', 'unencrypted to 8.8.8.8'],
  ['http://172.32.0.1/v1', 'unencrypted'],
  ['http://169.254.169.254/v1', 'unencrypted'],
  ['http://[2001:db8::1]/v1', 'unencrypted'],
  ['http://[::ffff:8.8.8.8]/v1', 'unencrypted'],
  ['ftp://localhost/v1', 'must begin with https://'],
  ['https://user:password@api.example.com/v1', 'must not hold a user name or a password'],
  ['https://api.example.com/v1?key=x', 'must end with its path'],
  ['https://api.example.com/v1#x', 'must end with its path'],
])('%s may not be used', (url, mistake) => {
  expect(mistakeIn(new URL(url))).toContain(mistake)
})

test.each([
  ['localhost', true],
  ['LOCALHOST', true],
  ['127.0.0.1', true],
  ['::1', true],
  ['0.0.0.0', false],
  ['::', false],
  ['192.168.0.1', false],
  ['gateway', false],
])('%s is loopback: %s', (host, expected) => {
  expect(isLoopback(host)).toBe(expected)
})

test.each([
  ['http://127.0.0.1:8080/v1', '127.0.0.1', true],
  ['http://localhost:8080/v1', '0.0.0.0', true],
  ['http://192.168.0.5:8080/v1', '192.168.0.5', true],
  ['http://[fd00::1]:8080/v1', 'fd00::1', true],
  ['http://127.0.0.1:8081/v1', '127.0.0.1', false],
  ['http://192.168.0.5:8080/v1', '127.0.0.1', false],
  ['https://localhost/v1', '127.0.0.1', false],
])('%s leads to port 8080 of %s: %s', (url, host, expected) => {
  expect(leadsTo(new URL(url), host, 8080)).toBe(expected)
})
