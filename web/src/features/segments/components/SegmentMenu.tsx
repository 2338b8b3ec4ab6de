import { useQueryClient } from '@tanstack/react-query'
import { Archive, ArchiveRestore, Copy, Download, EllipsisVertical } from 'lucide-react'
import { useTranslation } from 'react-i18next'
import { useNavigate } from 'react-router'
import { idempotencyKey } from '@/shared/api/client'
import type { ExportFormat, Segment, Use } from '@/shared/api/types'
import { useCan } from '@/shared/lib/session'
import { useConfirm, useToast } from '@/shared/ui/feedback'
import { Button, Dropdown } from '@/shared/ui/kit'
import { Uses } from '@/shared/ui/Uses'
import { archiveSegment, copySegment, exportSegment, restoreSegment, SEGMENTS_KEY, usesQuery } from '../queries'
import css from './segments.module.css'

/** What else can be done with a segment: copy, export, archive. */
export function SegmentMenu({ segment: s }: { segment: Segment }) {
  const { t } = useTranslation('segments')
  const client = useQueryClient()
  const go = useNavigate()
  const toast = useToast()
  const confirm = useConfirm()
  const mayWrite = useCan('segment.write')
  const mayExport = useCan('contact.export')
  const refresh = () => client.invalidateQueries({ queryKey: SEGMENTS_KEY })
  const act = async (work: () => Promise<unknown>) => {
    try {
      await work()
      await refresh()
    } catch (error) {
      toast.failed(error)
    }
  }
  const archive = async () => {
    try {
      const { items: uses } = await client.fetchQuery({ ...usesQuery(s.id), staleTime: 0 })
      // Whoever was shown no use agreed to none: the server refuses if there is one by now.
      const done = await confirm({
        title: t('menu.archiveTitle', { name: s.name }),
        body: <ArchiveBody segment={s} uses={uses} />,
        ok: uses.length > 0 ? t('menu.archiveAnyway') : t('menu.archive'),
        danger: true,
        run: () => archiveSegment(s.id, uses.length > 0),
      })
      if (done) await refresh()
    } catch (error) {
      toast.failed(error)
    }
  }
  const save = (format: ExportFormat) =>
    act(async () => {
      await exportSegment(s.id, format, idempotencyKey())
      void client.invalidateQueries({ queryKey: ['jobs'] })
      toast.notice({ kind: 'success', title: t('menu.exporting'), action: <Button onClick={() => void go('/jobs')}>{t('menu.jobs')}</Button> })
    })
  const copy = () =>
    act(async () => {
      const made = await copySegment(s.id, t('menu.copyName', { name: s.name }).slice(0, 60), idempotencyKey())
      void go(`/segments/${made.id}`)
    })
  const items = [
    ...(mayExport ? [{ key: 'xlsx', icon: <Download size={14} aria-hidden />, label: t('menu.xlsx') }, { key: 'csv', icon: <Download size={14} aria-hidden />, label: t('menu.csv') }] : []),
    ...(mayWrite ? [{ key: 'copy', icon: <Copy size={14} aria-hidden />, label: t('menu.copy') }] : []),
    ...(mayWrite && s.status === 'archived' ? [{ key: 'restore', icon: <ArchiveRestore size={14} aria-hidden />, label: t('menu.restore') }] : []),
    ...(mayWrite && s.status !== 'archived' ? [{ key: 'archive', icon: <Archive size={14} aria-hidden />, label: t('menu.archive'), danger: true }] : []),
  ]
  if (items.length === 0) return null
  return (
    <Dropdown
      trigger={['click']}
      placement="bottomRight"
      menu={{
        items,
        onClick: ({ key }) => {
          if (key === 'xlsx' || key === 'csv') void save(key)
          if (key === 'copy') void copy()
          if (key === 'restore') void act(() => restoreSegment(s.id))
          if (key === 'archive') void archive()
        },
      }}
    >
      <Button aria-label={t('menu.label')} icon={<EllipsisVertical size={16} aria-hidden />} />
    </Dropdown>
  )
}

/** What putting a segment away does, to itself and to what uses it. */
function ArchiveBody({ segment: s, uses }: { segment: Segment; uses: Use[] }) {
  const { t } = useTranslation('segments')
  return (
    <div className={css.ask}>
      <p>{s.kind === 'dynamic' ? t('menu.archiveBody') : t('menu.archiveList')}</p>
      {uses.length > 0 && (
        <>
          <p>
            <b>{t('menu.archiveUsed', { count: uses.length })}</b>
          </p>
          <Uses items={uses} plain />
        </>
      )}
    </div>
  )
}
