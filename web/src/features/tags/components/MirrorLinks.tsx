import { useQuery } from '@tanstack/react-query'
import { useTranslation } from 'react-i18next'
import type { TagLink } from '@/shared/api/types'
import { useCan } from '@/shared/lib/session'
import { Chip } from '@/shared/ui/chips'
import { Button } from '@/shared/ui/kit'
import { Panel } from '@/shared/ui/Panel'
import { Empty, QueryState } from '@/shared/ui/states'
import { Count } from '@/shared/ui/values'
import { linksQuery, resolveLink, type Answer } from '../mirror'
import css from './mirror.module.css'
import { useTagWork } from './useTagWork'

/** The tags that both sides have, those that ask first. */
export function MirrorLinks({ account, onLink }: { account: string; onLink?: () => void }) {
  const { t } = useTranslation('tags')
  const query = useQuery(linksQuery(account))
  return (
    <Panel flush title={t('mirror.links')} className={css.links}>
      <QueryState query={query} height={160}>
        {({ items }) =>
          items.length === 0 ? (
            <Empty
              title={t('mirror.empty.title')}
              desc={t('mirror.empty.desc')}
              action={
                onLink && (
                  <Button type="primary" onClick={onLink}>
                    {t('mirror.link')}
                  </Button>
                )
              }
            />
          ) : (
            <div className={css.scroll}>
              <table className={css.table}>
                <thead>
                  <tr>
                    <th>{t('mirror.theirs')}</th>
                    <th>{t('mirror.ours')}</th>
                    <th className={css.right}>{t('mirror.people')}</th>
                    <th>{t('mirror.stateTitle')}</th>
                    <th />
                  </tr>
                </thead>
                <tbody>
                  {items.map((l) => (
                    <Row key={l.id} account={account} link={l} />
                  ))}
                </tbody>
              </table>
            </div>
          )
        }
      </QueryState>
    </Panel>
  )
}

function Row({ account, link: l }: { account: string; link: TagLink }) {
  const { t } = useTranslation('tags')
  const may = useCan('tag.write')
  const { act, confirm, refresh } = useTagWork()
  const answer = (what: Answer) => void act(() => resolveLink(account, l.id, what))
  const ask = (what: 'delete_theirs' | 'delete_ours' | 'unlink') =>
    void confirm({ title: t(`mirror.ask.${what}`, { name: l.ours }), body: t(`mirror.ask.${what}Body`, { count: l.people }), ok: t(`mirror.do.${what}`), danger: what !== 'unlink', run: () => resolveLink(account, l.id, what) }).then(() => refresh())
  return (
    <tr>
      <td>
        {l.name} <small className="kp-muted">{l.group}</small>
      </td>
      <td>
        {l.ours} <small className="kp-muted">{l.ourGroup}</small>
      </td>
      <td className={css.right}>
        <Count value={l.people} />
      </td>
      <td>
        {l.state === 'on' ? <Chip tone={l.fault ? 'warn' : 'good'}>{l.fault ? t('mirror.clash') : t('mirror.agree')}</Chip> : <Chip tone="warn">{t(`mirror.gone.${l.state}`)}</Chip>}
        {l.fault && <small className={css.fault}>{l.fault}</small>}
      </td>
      <td className={css.right}>
        {may && l.state === 'on' && (
          <Button size="small" type="text" onClick={() => ask('unlink')}>
            {t('mirror.do.unlink')}
          </Button>
        )}
        {may && l.state !== 'on' && (
          <span className={css.answers}>
            <Button size="small" onClick={() => answer('restore')}>
              {t('mirror.do.restore')}
            </Button>
            <Button size="small" onClick={() => ask('unlink')}>
              {t('mirror.do.keep')}
            </Button>
            <Button size="small" danger onClick={() => ask(l.state === 'theirs_gone' ? 'delete_ours' : 'delete_theirs')}>
              {t(`mirror.do.${l.state === 'theirs_gone' ? 'delete_ours' : 'delete_theirs'}`)}
            </Button>
          </span>
        )}
      </td>
    </tr>
  )
}
