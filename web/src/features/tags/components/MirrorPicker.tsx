import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import type { TagLinkPreview } from '@/shared/api/types'
import { useToast } from '@/shared/ui/feedback'
import { Drawer } from '@/shared/ui/Drawer'
import { Alert, Button, Checkbox } from '@/shared/ui/kit'
import { Empty, QueryState } from '@/shared/ui/states'
import { linkTags, previewQuery } from '../mirror'
import css from './mirror.module.css'

/** What linking would do with each tag of both sides, and the choice of those to link. */
export function MirrorPicker({ account, onClose }: { account: string; onClose: () => void }) {
  const { t } = useTranslation('tags')
  const query = useQuery(previewQuery(account))
  return (
    <Drawer open onClose={onClose} title={t('mirror.pick.title')} width={640}>
      <QueryState query={query} height={300}>
        {(p) => <Choose account={account} preview={p} onClose={onClose} />}
      </QueryState>
    </Drawer>
  )
}

function Choose({ account, preview: p, onClose }: { account: string; preview: TagLinkPreview; onClose: () => void }) {
  const { t } = useTranslation('tags')
  const client = useQueryClient()
  const toast = useToast()
  const free = p.theirs.filter((x) => x.does === 'match' || x.does === 'make')
  const able = p.ours.filter((x) => !x.fault)
  const [theirs, setTheirs] = useState(() => new Set(free.map((x) => x.id))) // the first import takes all of theirs
  const [ours, setOurs] = useState(() => new Set<string>())
  const link = useMutation({
    mutationFn: () => linkTags(account, { theirs: [...theirs], ours: [...ours] }),
    onSuccess: async () => {
      await client.invalidateQueries({ queryKey: ['tags'] })
      toast.done(t('mirror.pick.done'))
      onClose()
    },
    onError: (error) => toast.failed(error),
  })
  const made = free.filter((x) => theirs.has(x.id) && x.does === 'make').length
  const matched = free.filter((x) => theirs.has(x.id) && x.does === 'match').length
  const flip = (set: Set<string>, id: string) => {
    const next = new Set(set)
    if (!next.delete(id)) next.add(id)
    return next
  }
  const full = ours.size > p.room
  return (
    <div className="kp-stack">
      <p className="kp-muted">{t('mirror.pick.desc')}</p>
      <section>
        <h3 className={css.head}>
          {t('mirror.pick.theirs', { count: p.theirs.length })}
          {free.length > 0 && (
            <Button size="small" type="link" onClick={() => setTheirs(theirs.size === free.length ? new Set() : new Set(free.map((x) => x.id)))}>
              {t(theirs.size === free.length ? 'mirror.pick.noneOf' : 'mirror.pick.allOf')}
            </Button>
          )}
        </h3>
        {p.theirs.length === 0 && <Empty title={t('mirror.pick.noTheirs')} />}
        <ul className={css.list}>
          {p.theirs.map((x) => (
            <li key={x.id}>
              <Checkbox checked={x.does === 'linked' || theirs.has(x.id)} disabled={x.does === 'linked' || x.does === 'clash'} onChange={() => setTheirs(flip(theirs, x.id))}>
                {x.group} / {x.name}
              </Checkbox>
              <small>{t(`mirror.does.${x.does}`)}</small>
            </li>
          ))}
        </ul>
      </section>
      <section>
        <h3 className={css.head}>
          {t('mirror.pick.ours', { count: p.ours.length })}
          {able.length > 0 && (
            <Button size="small" type="link" onClick={() => setOurs(ours.size === able.length ? new Set() : new Set(able.map((x) => x.tag)))}>
              {t(ours.size === able.length ? 'mirror.pick.noneOf' : 'mirror.pick.allOf')}
            </Button>
          )}
        </h3>
        <p className="kp-muted">{t('mirror.pick.room', { count: p.room })}</p>
        <ul className={css.list}>
          {p.ours.map((x) => (
            <li key={x.tag}>
              <Checkbox checked={ours.has(x.tag)} disabled={Boolean(x.fault)} onChange={() => setOurs(flip(ours, x.tag))}>
                {x.group} / {x.name}
              </Checkbox>
              <small className={x.fault ? css.fault : undefined}>{x.fault ?? t('mirror.pick.people', { count: x.people })}</small>
            </li>
          ))}
        </ul>
      </section>
      {full && <Alert type="warning" showIcon title={t('mirror.pick.full')} />}
      <p>{t('mirror.pick.sum', { matched, made, there: ours.size })}</p>
      <div className="kp-row">
        <Button type="primary" disabled={theirs.size + ours.size === 0 || full} loading={link.isPending} onClick={() => link.mutate()}>
          {t('mirror.pick.ok')}
        </Button>
        <Button onClick={onClose}>{t('mirror.pick.cancel')}</Button>
      </div>
    </div>
  )
}
