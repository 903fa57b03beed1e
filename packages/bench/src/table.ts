/** Lines of text: the first column to the left, the others to the right, as wide as what stands in them. */
export function toTable(head: readonly string[], rows: readonly (readonly string[])[]): readonly string[] {
  const widths = head.map((title, column) => Math.max(title.length, ...rows.map(row => row[column]?.length ?? 0)))
  const toLine = (cells: readonly string[]): string =>
    widths
      .map((width, column) =>
        column === 0 ? (cells[column] ?? '').padEnd(width) : (cells[column] ?? '').padStart(width),
      )
      .join('  ')
      .trimEnd()
  return [toLine(head), widths.map(width => '─'.repeat(width)).join('  '), ...rows.map(toLine)]
}
