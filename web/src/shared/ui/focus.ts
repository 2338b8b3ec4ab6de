const FIELDS = '[data-autofocus], input:not([type=hidden]):not(:disabled), textarea:not(:disabled)'

/** Puts the cursor into the first field of a box that has just opened; the kit would leave it on the box itself. */
export function focusFirst(box: HTMLElement | null): void {
  const found = box?.querySelector(FIELDS)
  if (found instanceof HTMLElement) found.focus()
}
