import { useQuery } from '@tanstack/react-query'
import { useTranslation } from 'react-i18next'
import { Link } from 'react-router'
import { useCan } from '@/shared/lib/session'
import { Chip } from '@/shared/ui/chips'
import { Tooltip } from '@/shared/ui/kit'
import { segmentNamesQuery } from '../queries'
import css from './webhooks.module.css'

interface Props {
  ids: string[]
  /** How many are named; the others are counted, and named in the tip. */
  max?: number
  links?: boolean
}

/** Which segments a webhook tells of. Whoever may see no segments sees their ids. */
export function SegmentNames({ ids, max = Infinity, links }: Props) {
  const { t } = useTranslation('webhooks')
  const may = useCan('segment.read')
  const { data } = useQuery({ ...segmentNamesQuery(), enabled: may && ids.length > 0 })
  if (ids.length === 0) return <span className="kp-muted">{t('form.allSegments')}</span>
  const name = (id: string) => data?.find((s) => s.id === id)?.name ?? id
  const rest = ids.slice(max)
  return (
    <span className={css.names}>
      {ids.slice(0, max).map((id) => (
        <Chip key={id}>{links && may ? <Link to={`/segments/${id}`}>{name(id)}</Link> : name(id)}</Chip>
      ))}
      {rest.length > 0 && (
        <Tooltip title={rest.map(name).join('、')}>
          <span tabIndex={0}>
            <Chip>{`+${rest.length}`}</Chip>
          </span>
        </Tooltip>
      )}
    </span>
  )
}
