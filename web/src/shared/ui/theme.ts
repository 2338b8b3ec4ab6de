import { theme as antd, type ThemeConfig } from 'antd'

/** Series colours and ink for charts, by theme. The order is the order in which series take colours. */
export const chartPalette = {
  light: {
    series: ['#3A55E0', '#14B8A6', '#F59E0B', '#EC6A88', '#8B5CF6', '#38A3E8', '#84B547', '#94A0B8'],
    text: '#667085',
    axis: '#E4E7EC',
    split: '#EFF1F5',
    heat: ['#F1F4FF', '#C6D1FF', '#8DA2FB', '#4F68E8', '#24379B'],
    surface: '#FFFFFF',
    strong: '#1A2233',
  },
  dark: {
    series: ['#7C92FF', '#2DD4BF', '#FBBF24', '#F58AA5', '#A98BFA', '#5BB8F5', '#A3CF6A', '#7D889E'],
    text: '#929DB3',
    axis: '#2B3240',
    split: '#222937',
    heat: ['#1B2236', '#29376F', '#3A51B8', '#6C84F5', '#B7C4FF'],
    surface: '#151A23',
    strong: '#E7EAF1',
  },
} as const

export type ChartPalette = (typeof chartPalette)['light' | 'dark']

/** Font stack for drawings, which know no CSS variables: Inter for Latin and figures, the system's Chinese face for the rest. */
export const fontFamily = `'Inter Variable', 'PingFang SC', 'HarmonyOS Sans SC', 'MiSans', 'Microsoft YaHei', 'Noto Sans CJK SC', system-ui, sans-serif`

type Pick = (light: string, dark: string) => string

function tokens(c: Pick): ThemeConfig['token'] {
  return {
    fontFamily: 'var(--font)', // base.css chooses it by language
    fontSize: 14,
    fontSizeSM: 12,
    fontWeightStrong: 600,
    // The dark algorithm dims its seeds, so dark seeds are stronger than what is meant to be seen.
    colorPrimary: c('#3A55E0', '#5E78FF'),
    colorInfo: c('#3A55E0', '#5E78FF'),
    colorLink: c('#3A55E0', '#8FA2FF'),
    colorSuccess: c('#12A37F', '#2CC39B'),
    colorWarning: c('#E8920C', '#F5B041'),
    colorError: c('#D93A42', '#FF7F85'),
    colorTextBase: c('#161D2D', '#EEF1F7'),
    colorBgBase: c('#FFFFFF', '#0D1118'),
    colorBgLayout: c('#F5F6F9', '#0D1118'),
    colorBgContainer: c('#FFFFFF', '#151A23'),
    colorBgElevated: c('#FFFFFF', '#1C222D'),
    colorText: c('#1A2233', '#E7EAF1'),
    colorTextSecondary: c('#5A6579', '#A3ADC0'),
    colorTextTertiary: c('#626C80', '#8894AB'),
    colorTextQuaternary: c('#B6BECC', '#545E73'),
    colorTextPlaceholder: c('#6B7589', '#808BA2'),
    colorBorder: c('#D9DEE7', '#303848'),
    colorBorderSecondary: c('#E8EBF1', '#232A37'),
    colorFillQuaternary: c('#F8F9FB', '#1A202B'),
    colorFillTertiary: c('#F2F4F8', '#1F2633'),
    colorFillSecondary: c('#E9ECF2', '#283040'),
    colorBgTextHover: c('#F2F4F8', '#1F2633'),
    borderRadius: 8,
    borderRadiusLG: 12,
    borderRadiusSM: 6,
    borderRadiusXS: 4,
    controlHeight: 34,
    controlHeightSM: 26,
    controlHeightLG: 40,
    lineWidth: 1,
    boxShadow: c('0 8px 28px -6px rgba(22,29,45,.14), 0 2px 6px -2px rgba(22,29,45,.06)', '0 10px 32px -6px rgba(0,0,0,.6)'),
    boxShadowSecondary: c('0 8px 28px -6px rgba(22,29,45,.16), 0 2px 6px -2px rgba(22,29,45,.06)', '0 10px 32px -6px rgba(0,0,0,.6)'),
    boxShadowTertiary: c('0 1px 2px rgba(22,29,45,.04)', 'none'),
    motionDurationMid: '0.14s',
    motionDurationSlow: '0.2s',
  }
}

function components(c: Pick): ThemeConfig['components'] {
  return {
    Table: {
      headerBg: c('#F8F9FB', '#1A202B'),
      headerColor: c('#667085', '#929DB3'),
      headerSplitColor: 'transparent',
      borderColor: c('#EEF0F4', '#212835'),
      rowHoverBg: c('#F7F9FF', '#1A2130'),
      rowSelectedBg: c('#F1F4FF', '#1A2340'),
      rowSelectedHoverBg: c('#E9EDFF', '#1F2A52'),
      headerSortActiveBg: c('#F2F4F8', '#1F2633'),
      headerSortHoverBg: c('#F2F4F8', '#1F2633'),
      bodySortBg: 'transparent',
      cellPaddingBlockMD: 9,
      cellPaddingInlineMD: 12,
      cellFontSizeMD: 13,
      headerBorderRadius: 0,
    },
    Button: { primaryShadow: 'none', defaultShadow: 'none', dangerShadow: 'none', fontWeight: 500, paddingInline: 14 },
    Segmented: { trackBg: c('#EEF0F5', '#1F2633'), itemSelectedBg: c('#FFFFFF', '#303A4C'), trackPadding: 3 },
    Tag: { defaultBg: c('#F2F4F8', '#222937'), defaultColor: c('#4A5468', '#B4BDCD'), borderRadiusSM: 6 },
    Input: { activeShadow: '0 0 0 3px rgba(58,85,224,.14)' },
    Select: { optionSelectedBg: c('#E9EDFF', '#1F2A52') },
    Skeleton: { gradientFromColor: c('#F2F4F8', '#1C222D'), gradientToColor: c('#E9ECF2', '#262E3C') },
    Tooltip: { colorBgSpotlight: c('#1A2233', '#2B3342'), fontSize: 12 },
    Tabs: { horizontalItemPadding: '10px 0', titleFontSize: 14, itemSelectedColor: c('#3A55E0', '#8FA2FF'), inkBarColor: c('#3A55E0', '#8FA2FF') },
    Form: { verticalLabelPadding: '0 0 6px', itemMarginBottom: 20, labelColor: c('#3B465B', '#B4BDCD') },
  }
}

/** 青黛 Qingdai: ink indigo on cool paper greys, dense and calm, almost no shadow. */
export function makeTheme(dark: boolean, motion = true): ThemeConfig {
  const c: Pick = (light, night) => (dark ? night : light)
  return {
    algorithm: dark ? antd.darkAlgorithm : antd.defaultAlgorithm,
    cssVar: { prefix: 'kp', key: 'kp' },
    hashed: false,
    token: { ...tokens(c), motion },
    components: components(c),
  }
}
