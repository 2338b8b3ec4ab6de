import { useQuery } from '@tanstack/react-query'
import { useTranslation } from 'react-i18next'
import type { Money as MoneyValue } from '../api/types'
import { regionPath, regionsQuery, type AttributeShape } from '../lib/attributes'
import { Chip } from './chips'
import { JsonView } from './JsonView'
import { Money, None } from './values'

/** A value of an attribute as people read it. Without a definition it is shown as it came. */
export function AttributeValue({ of, value }: { of?: AttributeShape; value: unknown }) {
  const { t } = useTranslation()
  if (value === null || value === undefined || value === '') return <None />
  if (typeof value === 'boolean') return value ? t('attribute.yes') : t('attribute.no')
  const label = (id: unknown) => of?.options?.find((o) => o.id === id)?.label ?? String(id)
  if (of?.type === 'money' && typeof value === 'object' && 'amount' in value) return <Money value={value as MoneyValue} />
  if (of?.type === 'enum') return label(value)
  if (Array.isArray(value) && value.every((v) => typeof v !== 'object'))
    return (
      <span className="kp-row wrap" style={{ gap: 4 }}>
        {value.map((v) => (
          <Chip key={String(v)}>{label(v)}</Chip>
        ))}
      </span>
    )
  if (of?.type === 'region' && typeof value === 'string') return <RegionName code={value} />
  if (typeof value === 'object') return <JsonView value={value} depth={0} />
  return of?.type === 'number' && of.unit ? `${String(value)} ${of.unit}` : String(value)
}

function RegionName({ code }: { code: string }) {
  const places = useQuery(regionsQuery()).data?.items
  const path = places ? regionPath(places, code) : []
  return path.length > 0 ? path.map((p) => p.name).join('') : code
}
