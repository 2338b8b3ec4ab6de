/** A zip file without packing: what it holds is packed already, such as PNG pictures. */

const TABLE = Uint32Array.from({ length: 256 }, (_, n) => {
  let c = n
  for (let k = 0; k < 8; k++) c = c & 1 ? 0xedb88320 ^ (c >>> 1) : c >>> 1
  return c >>> 0
})

export function crc32(data: Uint8Array): number {
  let c = 0xffffffff
  for (const b of data) c = (TABLE[(c ^ b) & 0xff] ?? 0) ^ (c >>> 8)
  return (c ^ 0xffffffff) >>> 0
}

const UTF8 = 0x0800 // names are UTF-8

/** Puts files into one. Names that come twice get a number. */
export function zip(files: readonly { name: string; data: Uint8Array }[]): Uint8Array<ArrayBuffer> {
  const used = new Map<string, number>()
  const entries = files.map(({ name, data }) => {
    const n = (used.get(name) ?? 0) + 1
    used.set(name, n)
    const dot = name.lastIndexOf('.')
    const unique = n === 1 ? name : dot > 0 ? `${name.slice(0, dot)} (${n})${name.slice(dot)}` : `${name} (${n})`
    return { name: new TextEncoder().encode(unique), data, crc: crc32(data), at: 0 }
  })
  const size = entries.reduce((sum, e) => sum + 30 + 46 + 2 * e.name.length + e.data.length, 22)
  const out = new Uint8Array(size)
  const view = new DataView(out.buffer)
  let at = 0
  const u16 = (v: number) => {
    view.setUint16(at, v, true)
    at += 2
  }
  const u32 = (v: number) => {
    view.setUint32(at, v, true)
    at += 4
  }
  const bytes = (b: Uint8Array) => {
    out.set(b, at)
    at += b.length
  }
  const head = (e: (typeof entries)[number]) => {
    u16(20)
    u16(UTF8)
    u16(0) // stored
    u16(0)
    u16(0x21) // 1980-01-01: the same files give the same zip
    u32(e.crc)
    u32(e.data.length)
    u32(e.data.length)
    u16(e.name.length)
    u16(0)
  }
  for (const e of entries) {
    e.at = at
    u32(0x04034b50)
    head(e)
    bytes(e.name)
    bytes(e.data)
  }
  const start = at
  for (const e of entries) {
    u32(0x02014b50)
    u16(20)
    head(e)
    u16(0)
    u16(0)
    u16(0)
    u32(0)
    u32(e.at)
    bytes(e.name)
  }
  const length = at - start
  u32(0x06054b50)
  u16(0)
  u16(0)
  u16(entries.length)
  u16(entries.length)
  u32(length)
  u32(start)
  u16(0)
  return out
}
