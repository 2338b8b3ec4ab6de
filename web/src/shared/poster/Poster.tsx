import { Download } from 'lucide-react'
import { useEffect, useRef, useState } from 'react'
import { useTranslation } from 'react-i18next'
import { Drawer } from '@/shared/ui/Drawer'
import { useToast } from '@/shared/ui/feedback'
import { Bar } from '@/shared/ui/JobProgress'
import { Button, Input } from '@/shared/ui/kit'
import { draw, fileName, FIRST, inside, load, save, toPNG, type Layout } from './poster'
import { zip } from './zip'
import css from './poster.module.css'

const PAPER = { width: 1080, height: 1440 }
const MOST = 2400

interface Props {
  codes: readonly { id: string; name: string }[]
  /** Where the picture of a code is. */
  picture: (id: string) => string
  /** Words that stand below the code at first. */
  words: string
  onClose: () => void
}

/** Puts codes onto a poster: a background of one's own, where the code stands, and words. */
export default function Poster({ codes, picture, words, onClose }: Props) {
  const { t } = useTranslation()
  const toast = useToast()
  const canvas = useRef<HTMLCanvasElement>(null)
  const input = useRef<HTMLInputElement>(null)
  const [background, setBackground] = useState<HTMLImageElement>()
  const [code, setCode] = useState<HTMLImageElement>()
  const [layout, setLayout] = useState<Layout>({ ...FIRST, text: words })
  const [share, setShare] = useState<number>()
  const paper = background ? shrunk(background) : PAPER
  const ratio = paper.height / paper.width
  const first = codes[0]
  const url = first && picture(first.id)
  useEffect(() => {
    if (url) load(url).then(setCode, () => toast.failed(new Error('picture')))
    // eslint-disable-next-line react-hooks/exhaustive-deps -- the toast is new with every render
  }, [url])
  const placed = inside(layout, ratio)
  useEffect(() => {
    if (canvas.current && code && first) draw(canvas.current, background, code, paper, placed, first.name)
  })
  const put = (patch: Partial<Layout>) => setLayout((l) => inside({ ...l, ...patch }, ratio))
  const drag = (e: React.PointerEvent<HTMLCanvasElement>) => {
    if (e.buttons !== 1) return
    const box = e.currentTarget.getBoundingClientRect()
    put({ x: (e.clientX - box.left) / box.width - placed.size / 2, y: (e.clientY - box.top) / box.height - placed.size / ratio / 2 })
  }
  const all = async () => {
    const sheet = document.createElement('canvas')
    const files: { name: string; data: Uint8Array }[] = []
    setShare(0)
    try {
      for (const [i, c] of codes.entries()) {
        draw(sheet, background, await load(picture(c.id)), paper, placed, c.name)
        files.push({ name: `${fileName(c.name)}.png`, data: new Uint8Array(await (await toPNG(sheet)).arrayBuffer()) })
        setShare((i + 1) / codes.length)
      }
      const one = files[0]
      if (files.length === 1 && one) save(new Blob([one.data as Uint8Array<ArrayBuffer>], { type: 'image/png' }), one.name)
      else save(new Blob([zip(files)], { type: 'application/zip' }), `${t('poster.title')}.zip`)
    } catch (error) {
      toast.failed(error)
    } finally {
      setShare(undefined)
    }
  }
  const slider = (key: 'size' | 'x' | 'y' | 'textSize' | 'textY', min: number, max: number) => (
    <label className={css.field}>
      {t(`poster.${key}`)}
      <input type="range" min={min} max={max} step={0.005} value={placed[key]} onChange={(e) => put({ [key]: Number(e.target.value) })} />
    </label>
  )
  return (
    <Drawer open onClose={onClose} title={t('poster.title')} width={900}>
      <div className={css.poster}>
        <canvas ref={canvas} aria-label={t('poster.preview')} onPointerDown={drag} onPointerMove={drag} style={{ touchAction: 'none', cursor: 'move' }} />
        <div className="kp-stack">
          <div>
            <Button onClick={() => input.current?.click()}>{background ? t('poster.replace') : t('poster.background')}</Button>
            <input
              ref={input}
              type="file"
              accept="image/png,image/jpeg,image/webp"
              hidden
              aria-label={t('poster.background')}
              onChange={(e) => {
                const file = e.target.files?.[0]
                e.target.value = ''
                if (file) load(URL.createObjectURL(file)).then(setBackground, (error: unknown) => toast.failed(error))
              }}
            />
          </div>
          {slider('size', 0.1, 0.9)}
          {slider('x', 0, 0.9)}
          {slider('y', 0, 0.95)}
          <label className={css.field}>
            {t('poster.text')}
            <Input value={placed.text} maxLength={60} onChange={(e) => put({ text: e.target.value })} />
          </label>
          {slider('textSize', 0.02, 0.12)}
          {slider('textY', 0.02, 0.99)}
          <label className={css.field}>
            {t('poster.color')}
            <Input type="color" value={placed.color} onChange={(e) => put({ color: e.target.value })} />
          </label>
          {share !== undefined && <Bar label={t('poster.drawing')} share={share} />}
          <Button type="primary" icon={<Download size={15} aria-hidden />} disabled={!code} loading={share !== undefined} onClick={() => void all()}>
            {codes.length > 1 ? t('poster.downloadAll', { count: codes.length }) : t('poster.download')}
          </Button>
        </div>
      </div>
    </Drawer>
  )
}

/** The size to draw a background in: as it is, but no larger than printers need. */
function shrunk(img: HTMLImageElement): { width: number; height: number } {
  const k = Math.min(1, MOST / Math.max(img.naturalWidth, img.naturalHeight))
  return { width: Math.round(img.naturalWidth * k), height: Math.round(img.naturalHeight * k) }
}
