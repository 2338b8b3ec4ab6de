import type { AttributeDef } from '@/shared/api/types'

/** The types of attributes, in the order in which they are offered. */
export const TYPES: readonly AttributeDef['type'][] = ['text', 'number', 'money', 'date', 'flag', 'enum', 'multi', 'phone', 'email', 'region']
