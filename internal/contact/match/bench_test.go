package match_test

import (
	"fmt"
	"math/rand/v2"
	"os"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/koipond/koipond/internal/contact"
	"github.com/koipond/koipond/internal/contact/match"
	"github.com/koipond/koipond/internal/event"
	"github.com/koipond/koipond/internal/platform/testkit"
)

// BenchmarkRun reads everybody of a pond, of whom one in fifty stands in it
// twice with faults, and looks for pairs: blocking, weighing, storing. Its
// yardstick is a bare loop that opens the same people and does nothing else.
//
//	KOIPOND_BENCH_PEOPLE=1000000 go test ./internal/contact/match -run '^$' -bench Run -benchtime 1x
func BenchmarkRun(b *testing.B) {
	if testing.Short() {
		b.Skip("makes many people")
	}
	n := 20_000
	if v := os.Getenv("KOIPOND_BENCH_PEOPLE"); v != "" {
		var err error
		n, err = strconv.Atoi(v)
		require.NoError(b, err)
	}
	p := newPond(b, testkit.SQLite(b, sets()...))
	twins := p.fill(n)
	b.ResetTimer()
	var took, bare, cpu time.Duration
	var r match.Report
	peak := 0.0
	for range b.N {
		start := time.Now()
		for after := int64(0); ; {
			nums, err := p.contacts.WalkPeople(p.ctx, 0, after, 500)
			require.NoError(b, err)
			if len(nums) == 0 {
				break
			}
			after = nums[len(nums)-1]
			_, err = p.contacts.Known(p.ctx, nums)
			require.NoError(b, err)
		}
		bare += time.Since(start)
		before := used()
		_ = os.WriteFile("/proc/self/clear_refs", []byte("5"), 0) // begins the peak anew, where there is such a thing
		start = time.Now()
		r = p.run(true)
		took += time.Since(start)
		cpu += used() - before
		peak = max(peak, peakMB())
	}
	b.StopTimer()
	right, wrong := 0, 0
	for q := (match.Query{Limit: 100}); ; {
		page, err := p.List(p.ctx, q)
		require.NoError(b, err)
		for _, x := range page.Items {
			if twins[x.A.Num()] == x.B.Num() || twins[x.B.Num()] == x.A.Num() {
				right++
			} else {
				wrong++
			}
		}
		if q.Cursor = page.Next; q.Cursor == "" {
			break
		}
	}
	all := float64(r.People)
	b.ReportMetric(all*float64(b.N)/took.Seconds(), "people/s")
	b.ReportMetric(all*float64(b.N)/bare.Seconds(), "bare-people/s")
	b.ReportMetric(float64(r.Compared), "pairs-compared")
	b.ReportMetric(all*(all-1)/2, "all-pairs")
	b.ReportMetric(float64(r.Skipped), "blocks-skipped")
	b.ReportMetric(cpu.Seconds()/float64(b.N), "cpu-s/op")
	b.ReportMetric(peak, "peak-MB")
	b.ReportMetric(100*float64(right)/float64(max(1, right+wrong)), "precision-%")
	b.ReportMetric(100*float64(right)/float64(len(twins)), "recall-%")
	b.ReportMetric(0, "ns/op")
}

func used() time.Duration {
	var u syscall.Rusage
	_ = syscall.Getrusage(syscall.RUSAGE_SELF, &u) // never fails for one's own process
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

func peakMB() float64 {
	raw, err := os.ReadFile("/proc/self/status")
	if err != nil {
		return 0
	}
	for line := range strings.Lines(string(raw)) {
		if f := strings.Fields(line); len(f) > 1 && f[0] == "VmHWM:" {
			kb, _ := strconv.ParseFloat(f[1], 64)
			return kb / 1024
		}
	}
	return 0
}

var (
	familyNames = []rune("王王王李李李张张张刘刘陈陈杨杨黄黄赵赵吴吴周徐孙马朱胡郭何林高罗郑梁谢宋唐许韩冯邓曹彭曾肖田董潘袁蔡蒋余于杜叶程魏苏吕丁任卢姚沈钟姜崔谭陆范汪廖石金韦贾夏付方邹熊白孟秦邱侯江尹薛闫段雷龙黎史陶贺毛郝顾龚邵万覃武钱戴严莫孔向常")
	givenNames  = []rune("伟芳娜秀敏静丽强磊军洋勇艳杰娟涛明超兰霞平刚桂英华玉萍红建文利清辉力永健世广志义兴良海山仁波宁贵福生龙元全国胜学祥才发武新凤春梅琳素云莲真环雪荣爱妹香月莺媛瑞凡佳嘉琼勤珍贞莉婷雯子涵欣怡浩然梓轩雨桐诗一诺宇航思远晓燕")
	cityNames   = []string{"杭州", "上海", "北京", "深圳", "广州", "成都", "南京", "武汉", "西安", "苏州", "重庆", "天津", "长沙", "郑州", "青岛", "宁波", "厦门", "合肥", "福州", "济南"}
)

// fill makes n people, of whom one in fifty stands there twice, and tells who is who.
func (p *pond) fill(n int) map[int64]int64 {
	r := rand.New(rand.NewPCG(5, 6))
	type one struct{ name, phone, birthday, city, gender string }
	draw := func() one {
		name := string(familyNames[r.IntN(len(familyNames))]) + string(givenNames[r.IntN(len(givenNames))])
		if r.IntN(100) < 82 {
			name += string(givenNames[r.IntN(len(givenNames))])
		}
		o := one{name: name, phone: fmt.Sprintf("1%02d%08d", 30+r.IntN(60), r.IntN(1e8)), gender: []string{"male", "female"}[r.IntN(2)]}
		if r.IntN(100) < 70 {
			o.birthday = time.Date(1950+r.IntN(56), time.Month(1+r.IntN(12)), 1+r.IntN(28), 0, 0, 0, 0, time.UTC).Format(time.DateOnly)
		}
		if r.IntN(100) < 80 {
			o.city = cityNames[min(r.IntN(len(cityNames)), r.IntN(len(cityNames)))]
		}
		return o
	}
	spoil := func(o one) one {
		if d := []byte(o.phone); r.IntN(2) == 0 {
			i := 3 + r.IntN(7)
			d[i], d[i+1] = d[i+1], d[i]
			if d[i] == d[i+1] {
				d[i] = '0' + (d[i]-'0'+1)%10
			}
			o.phone = string(d)
		} else {
			o.phone = fmt.Sprintf("1%02d%08d", 30+r.IntN(60), r.IntN(1e8))
		}
		if r.IntN(4) == 0 {
			o.city = ""
		}
		return o
	}
	people := make([]one, 0, n)
	copies := map[int]int{}
	for len(people) < n {
		o := draw()
		people = append(people, o)
		if o.birthday != "" && len(people) < n && r.IntN(35) == 0 {
			copies[len(people)] = len(people) - 1
			people = append(people, spoil(o))
		}
	}
	nums := make([]int64, n)
	for from := 0; from < n; from += 5000 {
		to := min(n, from+5000)
		rows := make([]contact.Incoming, 0, to-from)
		for i, o := range people[from:to] {
			attrs := map[string]any{"name": o.name, "gender": o.gender}
			if o.birthday != "" {
				attrs["birthday"] = o.birthday
			}
			if o.city != "" {
				attrs["city"] = o.city
			}
			rows = append(rows, contact.Incoming{Line: int64(from + i + 2), Identifiers: []event.Identifier{{Kind: contact.KindPhone, Value: o.phone}}, Attributes: attrs})
		}
		out, err := p.contacts.Upsert(p.ctx, rows, contact.UpsertOptions{ImportID: "im_1", Source: "crm", UpdateExisting: true})
		require.NoError(p, err)
		for i, o := range out {
			nums[from+i] = o.Num
		}
	}
	twins := map[int64]int64{}
	for a, b := range copies {
		if nums[a] != nums[b] {
			twins[nums[a]] = nums[b]
		}
	}
	return twins
}
