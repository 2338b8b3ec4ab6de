import { useQuery } from '@tanstack/react-query'
import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import type { Tag, TagGroup } from '@/shared/api/types'
import { Dialog } from '@/shared/ui/Drawer'
import { Alert, Button, Select } from '@/shared/ui/kit'
import { useErrorText } from '@/shared/ui/states'
import { Uses } from '@/shared/ui/Uses'
import { mergeQuery, mergeTag } from '../queries'
import css from './tags.module.css'
import { useTagWork } from './useTagWork'

/** Makes a tag into another, after showing what that does. */
export function MergeDialog({ tag, groups, onClose, onStart }: { tag: Tag; groups: TagGroup[]; onClose: () => void; onStart: () => void }) {
  const { t } = useTranslation(['tags', 'common'])
  const say = useErrorText()
  const { refresh } = useTagWork()
  const [into, setInto] = useState('')
  const [busy, setBusy] = useState(false)
  const [failure, setFailure] = useState<unknown>()
  const { data: p, error } = useQuery({ ...mergeQuery(tag.id, into), retry: false })
  const run = async () => {
    setBusy(true)
    try {
      await mergeTag(tag.id, into)
      await refresh()
      onStart()
    } catch (e) {
      setFailure(e)
      setBusy(false)
    }
  }
  const wrong = failure ?? error
  return (
    <Dialog open onClose={onClose} title={t('merge.title', { name: tag.name })}>
      <div className={css.stack}>
        <span className="kp-muted">{t('merge.lead')}</span>
        <Select
          value={into || undefined}
          onChange={setInto}
          placeholder={t('merge.into')}
          aria-label={t('merge.into')}
          showSearch={{ optionFilterProp: 'search' }}
          options={groups
            .filter((g) => !g.archivedAt)
            .map((g) => ({ label: g.name, options: g.tags.filter((x) => x.id !== tag.id && !x.archivedAt).map((x) => ({ value: x.id, label: x.name, search: `${x.name} ${x.search}` })) }))}
        />
        {p && (
          <div role="status">
            <b>{t('merge.people', { count: p.people })}</b> {p.both > 0 && t('merge.both', { count: p.both })} {p.lose > 0 && t('merge.lose', { count: p.lose })}{' '}
            {p.uses.length > 0 && (
              <>
                {t('merge.uses', { count: p.uses.length })}
                <Uses items={p.uses} plain />
              </>
            )}
          </div>
        )}
        {wrong ? <Alert type="error" showIcon role="alert" title={say(wrong).detail} /> : null}
        <div className={css.end}>
          <Button onClick={onClose}>{t('common:action.cancel')}</Button>
          <Button type="primary" disabled={!p} loading={busy} onClick={() => void run()}>
            {t('merge.ok')}
          </Button>
        </div>
      </div>
    </Dialog>
  )
}
