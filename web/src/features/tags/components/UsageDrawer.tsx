import { useQuery } from '@tanstack/react-query'
import { useTranslation } from 'react-i18next'
import { Link } from 'react-router'
import type { Tag } from '@/shared/api/types'
import { formatInt } from '@/shared/lib/format'
import { usePrefs } from '@/shared/lib/prefs'
import { Drawer } from '@/shared/ui/Drawer'
import { Alert } from '@/shared/ui/kit'
import { Spark } from '@/shared/ui/Spark'
import { QueryState } from '@/shared/ui/states'
import { Uses } from '@/shared/ui/Uses'
import { DateTime, None } from '@/shared/ui/values'
import { usageQuery } from '../queries'
import css from './tags.module.css'

/** How a tag is used: by how many, since when, given by whom, and where it is referred to. */
export function UsageDrawer({ tag, onClose }: { tag: Tag; onClose: () => void }) {
  const { t } = useTranslation('tags')
  const { lang } = usePrefs()
  const query = useQuery(usageQuery(tag.id))
  return (
    <Drawer open onClose={onClose} title={t('usage.of', { name: tag.name })} width={480}>
      <QueryState query={query}>
        {(u) => (
          <div className={css.stack}>
            {u.unused && <Alert type="info" showIcon title={t('usage.unused')} />}
            <dl className={css.facts}>
              <dt>{t('usage.people')}</dt>
              <dd>
                <Link to={`/contacts?tag=${tag.id}`}>{formatInt(u.people, lang)}</Link>
              </dd>
              {u.withChildren !== u.people && (
                <>
                  <dt>{t('usage.withChildren')}</dt>
                  <dd>{formatInt(u.withChildren, lang)}</dd>
                </>
              )}
              <dt>{t('usage.last')}</dt>
              <dd>{u.usedAt ? <DateTime at={u.usedAt} /> : <None />}</dd>
              <dt>{t('usage.added')}</dt>
              <dd>
                {formatInt(sum(u.added), lang)} <Spark className={css.spark} values={u.added} label={t('usage.addedTrend')} width={160} height={28} />
              </dd>
              <dt>{t('usage.removed')}</dt>
              <dd>{formatInt(sum(u.removed), lang)}</dd>
            </dl>
            <h3>{t('usage.givers')}</h3>
            {u.givers.length === 0 && <None />}
            <dl className={css.facts}>
              {u.givers.map((g) => (
                <div key={g.source + (g.name ?? '')} style={{ display: 'contents' }}>
                  <dt>{[t(`source.${g.source}`), g.name].filter(Boolean).join(' · ')}</dt>
                  <dd>{formatInt(g.added, lang)}</dd>
                </div>
              ))}
            </dl>
            <h3>{t('usage.where')}</h3>
            <Uses items={u.uses} />
          </div>
        )}
      </QueryState>
    </Drawer>
  )
}

const sum = (all: readonly number[]) => all.reduce((a, b) => a + b, 0)
