import { useMutation, useQueryClient } from '@tanstack/react-query'
import { ArrowDown, ArrowUp, MessageSquareReply, Pencil, Plus, TriangleAlert } from 'lucide-react'
import { useTranslation } from 'react-i18next'
import { useCursorList } from '@/shared/api/cursor'
import type { Reply } from '@/shared/api/types'
import { formatInt } from '@/shared/lib/format'
import { usePrefs } from '@/shared/lib/prefs'
import { useUrlChoice, useUrlPatch, useUrlText } from '@/shared/lib/url'
import { DataTable, type Column } from '@/shared/ui/DataTable'
import { useToast } from '@/shared/ui/feedback'
import { FilterBar, FilterPills, SearchBox } from '@/shared/ui/FilterBar'
import { Button, Switch, Tooltip } from '@/shared/ui/kit'
import { Panel } from '@/shared/ui/Panel'
import { Empty } from '@/shared/ui/states'
import { inputOf } from '../rule'
import { KINDS, moveReply, repliesPage, REPLIES_KEY, updateReply } from '../queries'
import css from './replies.module.css'
import { TryIt } from './TryIt'

interface Props {
  account: string
  onOpen: (r: Reply) => void
  onEdit?: (r: Reply) => void
  onNew?: () => void
}

/** The rules in the order in which they are asked, and a field to try them. */
export function ReplyList({ account, onOpen, onEdit, onNew }: Props) {
  const { t } = useTranslation('replies')
  const { lang } = usePrefs()
  const patch = useUrlPatch()
  const client = useQueryClient()
  const toast = useToast()
  const [q, setQ] = useUrlText('q')
  const [kind, setKind] = useUrlChoice('kind', KINDS)
  const list = useCursorList(repliesPage({ account, q: q || undefined, kind }))
  const refresh = () => client.invalidateQueries({ queryKey: REPLIES_KEY })
  const change = useMutation({ mutationFn: (run: () => Promise<unknown>) => run(), onSuccess: refresh, onError: (error) => toast.failed(error) })
  const filtered = !!(q || kind)
  const clear = () => patch({ q: '', kind: '' })
  const columns: Column<Reply>[] = [
    {
      key: 'name',
      title: t('col.name'),
      width: 190,
      render: (r) => (
        <span className={css.name}>
          <b>{r.name}</b>
          {(r.words ?? []).length > 0 && <Words reply={r} />}
        </span>
      ),
    },
    { key: 'kind', title: t('col.kind'), width: 104, render: (r) => t(`kind.${r.kind}`) },
    { key: 'says', title: t('col.says'), clip: true, width: 140, render: (r) => <span className="kp-muted">{summary(r, (k) => t(`part.${k}`))}</span> },
    ...(list.items.some((r) => r.sent !== undefined) ? [{ key: 'sent', title: t('col.sent'), align: 'right' as const, width: 76, render: (r: Reply) => <span className="kp-num">{formatInt(r.sent ?? 0, lang)}</span> }] : []),
    {
      key: 'state',
      title: t('col.state'),
      width: 76,
      render: (r) =>
        onEdit ? (
          <span className="kp-row" onClick={(e) => e.stopPropagation()}>
            <Switch
              size="small"
              aria-label={t('list.switch', { name: r.name })}
              checked={!r.off}
              loading={change.isPending}
              onChange={(on) => change.mutate(() => updateReply(r.id, { ...inputOf(r), off: !on }))}
            />
            {(r.state === 'later' || r.state === 'over') && <small className="kp-muted">{t(`state.${r.state}`)}</small>}
          </span>
        ) : (
          t(`state.${r.state}`)
        ),
    },
    ...(onEdit
      ? [
          {
            key: 'act',
            title: '',
            width: 104,
            render: (r: Reply) => {
              const same = list.items.filter((x) => x.kind === r.kind)
              const i = same.findIndex((x) => x.id === r.id)
              const move = (before: string | undefined) => change.mutate(() => moveReply(r.id, before))
              return (
                <span className={css.acts} onClick={(e) => e.stopPropagation()}>
                  {!filtered || (kind && !q) ? (
                    <>
                      <Button type="text" size="small" disabled={i === 0} aria-label={t('list.up', { name: r.name })} icon={<ArrowUp size={14} aria-hidden />} onClick={() => move(same[i - 1]?.id)} />
                      <Button type="text" size="small" disabled={i === same.length - 1} aria-label={t('list.down', { name: r.name })} icon={<ArrowDown size={14} aria-hidden />} onClick={() => move(same[i + 2]?.id)} />
                    </>
                  ) : null}
                  <Button type="text" size="small" aria-label={t('list.edit', { name: r.name })} icon={<Pencil size={14} aria-hidden />} onClick={() => onEdit(r)} />
                </span>
              )
            },
          },
        ]
      : []),
  ]
  return (
    <div className={css.list}>
      <Panel flush>
        <FilterBar active={filtered} onClear={clear} extra={list.total !== undefined && <span className="kp-muted kp-num">{t('list.total', { total: formatInt(list.total, lang) })}</span>}>
          <SearchBox value={q} onChange={setQ} placeholder={t('list.search')} width={220} />
          <FilterPills label={t('col.kind')} value={kind ?? ''} onChange={(v) => setKind(KINDS.find((k) => k === v))} options={KINDS.map((k) => ({ value: k, label: t(`kind.${k}`) }))} />
        </FilterBar>
        <DataTable<Reply>
          label={t('tab.rules')}
          list={list}
          rowKey={(r) => r.id}
          onOpen={onOpen}
          filtered={filtered}
          onClearFilters={clear}
          columns={columns}
          empty={
            <Empty
              icon={<MessageSquareReply size={26} strokeWidth={1.5} aria-hidden />}
              title={t('list.empty')}
              desc={t('list.emptyDesc')}
              action={
                onNew && (
                  <Button type="primary" icon={<Plus size={15} aria-hidden />} onClick={onNew}>
                    {t('form.new')}
                  </Button>
                )
              }
            />
          }
        />
      </Panel>
      <TryIt account={account} />
    </div>
  )
}

/** The words of a rule, and a warning where an earlier rule takes one first. */
function Words({ reply }: { reply: Reply }) {
  const { t } = useTranslation('replies')
  const words = reply.words ?? []
  return (
    <span className={css.words}>
      {words.slice(0, 4).map((w) => (
        <code key={`${w.match} ${w.text}`} title={t(`match.${w.match ?? 'exact'}`)}>
          {w.match === 'contains' ? `…${w.text}…` : w.match === 'regex' ? `/${w.text}/` : w.text}
        </code>
      ))}
      {words.length > 4 && <small className="kp-muted">{t('list.moreWords', { count: words.length - 4 })}</small>}
      {(reply.clashes ?? []).length > 0 && (
        <Tooltip title={(reply.clashes ?? []).map((c) => t('list.clash', { word: c.word, name: c.name })).join(' ')}>
          <span className={css.clash} tabIndex={0} role="img" aria-label={(reply.clashes ?? []).map((c) => t('list.clash', { word: c.word, name: c.name })).join(' ')}>
            <TriangleAlert size={13} aria-hidden /> {t('list.clashes', { count: (reply.clashes ?? []).length })}
          </span>
        </Tooltip>
      )}
    </span>
  )
}

/** What a rule says, in a line. */
function summary(r: Reply, part: (kind: 'image' | 'link' | 'miniprogram' | 'menu') => string): string {
  return (r.contents ?? []).map((c) => (c.kind === 'text' ? (c.text ?? '') : `[${part(c.kind)}] ${c.title ?? c.text ?? ''}`.trim())).join(' · ')
}
