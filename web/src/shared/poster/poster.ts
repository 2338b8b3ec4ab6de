/** Where things stand on a poster, as shares of its width and height. */
export interface Layout {
  /** Left edge, top edge and width of the code. */
  x: number
  y: number
  size: number
  text: string
  textSize: number
  textY: number
  color: string
}

export const FIRST: Layout = { x: 0.3, y: 0.52, size: 0.4, text: '', textSize: 0.05, textY: 0.93, color: '#1a2233' }

/** Keeps the code on the poster. */
export function inside(l: Layout, ratio: number): Layout {
  const size = Math.min(Math.max(l.size, 0.1), 0.9, 0.9 * ratio)
  return { ...l, size, x: Math.min(Math.max(l.x, 0), 1 - size), y: Math.min(Math.max(l.y, 0), 1 - size / ratio), textY: Math.min(Math.max(l.textY, 0.02), 0.99) }
}

/** Draws a poster: its background, the code on white, and the words below. */
export function draw(canvas: HTMLCanvasElement, background: CanvasImageSource | undefined, code: CanvasImageSource, size: { width: number; height: number }, layout: Layout, name: string): void {
  const { width, height } = size
  canvas.width = width
  canvas.height = height
  const c = canvas.getContext('2d')
  if (!c) return
  c.fillStyle = '#fff'
  c.fillRect(0, 0, width, height)
  if (background) c.drawImage(background, 0, 0, width, height)
  const side = layout.size * width
  const pad = side * 0.04
  c.fillStyle = '#fff'
  c.fillRect(layout.x * width - pad, layout.y * height - pad, side + 2 * pad, side + 2 * pad)
  c.drawImage(code, layout.x * width, layout.y * height, side, side)
  const words = layout.text.replaceAll('{code}', name)
  if (words.trim() === '') return
  c.fillStyle = layout.color
  c.textAlign = 'center'
  c.textBaseline = 'middle'
  c.font = `600 ${layout.textSize * width}px 'PingFang SC', 'Microsoft YaHei', 'Noto Sans CJK SC', sans-serif`
  c.fillText(words, width / 2, layout.textY * height, width * 0.94)
}

/** Loads a picture. */
export function load(url: string): Promise<HTMLImageElement> {
  return new Promise((resolve, reject) => {
    const img = new Image()
    img.onload = () => resolve(img)
    img.onerror = () => reject(new Error('picture'))
    img.src = url
  })
}

/** A canvas as a PNG. */
export const toPNG = (canvas: HTMLCanvasElement): Promise<Blob> => new Promise((resolve, reject) => canvas.toBlob((b) => (b ? resolve(b) : reject(new Error('png'))), 'image/png'))

/** Offers a file to the browser's downloads. */
export function save(blob: Blob, name: string): void {
  const url = URL.createObjectURL(blob)
  const a = document.createElement('a')
  a.href = url
  a.download = name
  a.click()
  setTimeout(() => URL.revokeObjectURL(url), 10_000)
}

/** A name that every system takes. */
export const fileName = (name: string): string => name.replace(/[\p{Cc}/\\:*?"<>|]/gu, '-')
