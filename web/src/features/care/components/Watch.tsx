import { useQuery, useQueryClient } from '@tanstack/react-query'
import { Settings2, UserRoundX } from 'lucide-react'
import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import { Link } from 'react-router'
import { useCan } from '@/shared/lib/session'
import { Dialog } from '@/shared/ui/Drawer'
import { useToast } from '@/shared/ui/feedback'
import { Field, Form } from '@/shared/ui/Form'
import { Button, Input, Switch } from '@/shared/ui/kit'
import { aloneRule, listOf } from '../alone'
import { aloneCount, setWatch, watchQuery } from '../queries'
import css from './Watch.module.css'

/** How many contacts are left alone by their owner, and, for who may, when that is. */
export function Watch({ whose }: { whose: 'me' | 'team' }) {
  const { t } = useTranslation('care')
  const may = useCan('settings.write')
  const [open, setOpen] = useState(false)
  const watch = useQuery(watchQuery())
  const days = watch.data?.days
  const where = days === undefined ? undefined : aloneRule(days)
  const mine = whose === 'me' ? { owner: 'me' } : undefined
  const count = useQuery({ ...aloneCount({ ...mine, where }), enabled: where !== undefined })
  return (
    <span className={css.row}>
      {where && count.data && count.data.count > 0 && (
        <Link className={css.alone} to={listOf(where, mine)}>
          <UserRoundX size={15} aria-hidden /> {t('watch.alone', { count: count.data.count })}
        </Link>
      )}
      {may && watch.data && (
        <>
          <Button type="text" icon={<Settings2 size={15} aria-hidden />} aria-label={t('watch.title')} title={t('watch.title')} onClick={() => setOpen(true)} />
          <WatchDialog key={String(open)} days={watch.data.days} enabled={watch.data.enabled} open={open} onClose={() => setOpen(false)} />
        </>
      )}
    </span>
  )
}

function WatchDialog({ days, enabled, open, onClose }: { days: number; enabled: boolean; open: boolean; onClose: () => void }) {
  const { t } = useTranslation(['care', 'common'])
  const client = useQueryClient()
  const toast = useToast()
  const [on, setOn] = useState(enabled)
  return (
    <Dialog open={open} onClose={onClose} title={t('watch.title')}>
      <Form<{ days: string }>
        initial={{ days: String(days) }}
        submit={t('common:action.save')}
        onSubmit={async (v) => {
          await setWatch({ enabled: on, days: Number(v.days) })
          toast.done(t('watch.saved'))
          onClose()
          await client.invalidateQueries({ queryKey: ['care'] })
          await client.invalidateQueries({ queryKey: ['contacts'] })
        }}
      >
        <p className="kp-muted">{t('watch.desc')}</p>
        <Field name="days" label={t('watch.days')} rules={[{ required: true, pattern: /^([1-9]|[1-9]\d|[12]\d\d|3[0-5]\d|36[0-5])$/, message: t('watch.daysRange') }]}>
          <Input type="number" min={1} max={365} suffix={t('watch.unit')} />
        </Field>
        <label className={css.switch}>
          <Switch checked={on} onChange={setOn} aria-label={t('watch.tell')} /> {t('watch.tell')}
        </label>
      </Form>
    </Dialog>
  )
}
