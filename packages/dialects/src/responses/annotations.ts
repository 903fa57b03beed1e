interface Citation {
  readonly url?: string
  readonly title?: string
  readonly start_index?: number
  readonly end_index?: number
}

/** The citations of pages, nested in chat and flat here; clients want all their members to be there. */
export function toAnnotations(annotations: unknown): object[] {
  if (!Array.isArray(annotations)) return []
  return annotations.flatMap((annotation: { type?: unknown; url_citation?: Citation } | null) => {
    const { url, title = '', start_index = 0, end_index = 0 } = annotation?.url_citation ?? {}
    return url === undefined ? [] : [{ type: 'url_citation', url, title, start_index, end_index }]
  })
}
