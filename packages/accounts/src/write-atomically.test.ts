import { chmod, mkdtemp, readdir, readFile, rm, stat, symlink, utimes, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { removeLeftovers, writeAtomically } from './write-atomically.ts'

let folder: string
let path: string
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'millrace-'))
  path = join(folder, 'file.json')
})
afterEach(() => rm(folder, { recursive: true }))

test('the file holds the contents, for its owner only, and nothing else is left', async () => {
  await writeFile(path, 'old')
  await chmod(path, 0o644)
  await writeAtomically(path, 'new')
  expect(await readFile(path, 'utf8')).toBe('new')
  expect((await stat(path)).mode & 0o777).toBe(0o600)
  expect(await readdir(folder)).toEqual(['file.json'])
})

test('a link stays one', async () => {
  const link = join(folder, 'link.json')
  await writeFile(path, 'old')
  await symlink(path, link)
  await writeAtomically(link, 'new')
  expect(await readFile(path, 'utf8')).toBe('new')
  expect(await readFile(link, 'utf8')).toBe('new')
})

test('writes side by side do not mix', async () => {
  const texts = Array.from({ length: 20 }, (_, index) => `${index}`.repeat(100_000))
  await Promise.all(texts.map(text => writeAtomically(path, text)))
  expect(texts).toContain(await readFile(path, 'utf8'))
  expect(await readdir(folder)).toEqual(['file.json'])
})

test('a write that fails leaves nothing behind', async () => {
  await expect(writeAtomically(folder, 'new')).rejects.toThrow('rename')
  await expect(writeAtomically(join(folder, 'missing', 'file.json'), 'new')).rejects.toMatchObject({ code: 'ENOENT' })
  expect(await readdir(folder)).toEqual([])
})

test('what a killed write left behind goes when it is old', async () => {
  const now = Date.now()
  for (const [name, age] of [
    ['file.json.tmp.old', 61_000],
    ['file.json.tmp.new', 1000],
    ['file.json.old', 61_000],
    ['other.json.tmp.old', 61_000],
  ] as const) {
    await writeFile(join(folder, name), '')
    await utimes(join(folder, name), (now - age) / 1000, (now - age) / 1000)
  }
  await removeLeftovers(path, now)
  expect(await readdir(folder)).toEqual(['file.json.old', 'file.json.tmp.new', 'other.json.tmp.old'])
  await removeLeftovers(join(folder, 'missing', 'file.json'), now)
})
