import { useQuery, useQueryClient } from '@tanstack/react-query'
import { ListPlus } from 'lucide-react'
import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import { Link } from 'react-router'
import { idempotencyKey } from '@/shared/api/client'
import type { MembersChange } from '@/shared/api/types'
import { formatInt } from '@/shared/lib/format'
import { usePrefs } from '@/shared/lib/prefs'
import type { ContactSelection } from '@/shared/lib/selection'
import { BulkAction, BulkField, BulkForm, useStep } from '@/shared/ui/BulkAction'
import { Button, Input, Select } from '@/shared/ui/kit'
import { changeMembers, createSegment, SEGMENTS_KEY, segmentsQuery } from '../queries'

const NEW = 'new'

interface Run {
  id: string
  name: string
  change: Pick<MembersChange, 'event' | 'job'>
}

/** Puts the chosen contacts on a static list: one that there is, or a new one. */
export function AddToSegment({ selection }: { selection: ContactSelection }) {
  const { t } = useTranslation('segments')
  return (
    <BulkAction<Run>
      selection={selection}
      icon={<ListPlus size={14} aria-hidden />}
      label={t('add.action')}
      title={(count) => t('add.title', { count })}
      choose={({ who, onClose, onStart }) => <Choose who={who} onClose={onClose} onStart={onStart} />}
      follow={({ run, onClose }) => <Done run={run} onClose={onClose} />}
    />
  )
}

function Choose({ who, onClose, onStart }: { who: ContactSelection; onClose: () => void; onStart: (run: Run) => void }) {
  const { t } = useTranslation('segments')
  const { lang } = usePrefs()
  const client = useQueryClient()
  const lists = useQuery(segmentsQuery(lang)).data?.items.filter((s) => s.kind === 'static')
  const [chosen, setChosen] = useState<string>()
  const [name, setName] = useState('')
  const [key] = useState(idempotencyKey)
  const { busy, failure, take } = useStep()
  const into = chosen ?? (lists?.length === 0 ? NEW : undefined)
  const ready = into === NEW ? name.trim() !== '' : into !== undefined
  const run = () =>
    take(async () => {
      if (into === NEW) {
        const { segment, ...change } = await createSegment({ name: name.trim(), kind: 'static', members: { kind: 'auto', selection: who.body } }, key)
        onStart({ id: segment.id, name: segment.name, change })
      } else if (into !== undefined) {
        const change = await changeMembers(into, { kind: 'auto', selection: who.body }, key)
        onStart({ id: into, name: lists?.find((s) => s.id === into)?.name ?? '', change })
      }
      await client.invalidateQueries({ queryKey: SEGMENTS_KEY })
    })
  return (
    <BulkForm
      told={null}
      wrong={failure}
      onSubmit={() => ready && void run()}
      actions={
        <>
          <Button onClick={onClose}>{t('add.cancel')}</Button>
          <Button type="primary" htmlType="submit" disabled={!ready} loading={busy}>
            {t('add.ok')}
          </Button>
        </>
      }
    >
      <BulkField label={t('add.into')}>
        <Select
          aria-label={t('add.into')}
          placeholder={t('add.choose')}
          loading={!lists}
          value={into}
          onChange={(v: string) => setChosen(v)}
          showSearch={{ optionFilterProp: 'label' }}
          options={[{ value: NEW, label: t('add.new') }, ...(lists ?? []).map((s) => ({ value: s.id, label: s.name }))]}
        />
      </BulkField>
      {into === NEW && (
        <BulkField label={t('form.name')}>
          <Input aria-label={t('form.name')} value={name} maxLength={60} onChange={(e) => setName(e.target.value)} />
        </BulkField>
      )}
    </BulkForm>
  )
}

function Done({ run, onClose }: { run: Run; onClose: () => void }) {
  const { t } = useTranslation('segments')
  const { lang } = usePrefs()
  const { event } = run.change
  return (
    <BulkForm
      told={
        <>
          {event ? t('add.done', { count: event.came ?? 0, n: formatInt(event.came ?? 0, lang), name: run.name }) : t('add.working', { name: run.name })} <Link to={`/segments/${run.id}`}>{t('add.open')}</Link>
        </>
      }
      wrong={undefined}
      actions={
        <Button type="primary" onClick={onClose}>
          {t('add.close')}
        </Button>
      }
    />
  )
}
