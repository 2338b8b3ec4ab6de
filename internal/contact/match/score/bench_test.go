package score_test

import (
	"testing"
	"time"

	"github.com/koipond/koipond/internal/contact/match/score"
)

// BenchmarkFebrl finds the duplicates among 5,000 people of whom the truth is
// known: reading, blocking and weighing, one processor. The yardstick in the
// same run is a bare loop that knows nothing but equality: it puts name and
// birthday into a map.
func BenchmarkFebrl(b *testing.B) {
	for _, f := range []string{"dataset1.csv", "dataset2.csv"} {
		b.Run(f, func(b *testing.B) {
			var took, bare time.Duration
			var precision, recall float64
			var compared, people int
			exact := 0
			for range b.N {
				start := time.Now()
				s := febrl(b, f)
				sc := s.scorer(score.Default())
				precision, recall, compared = s.judge(sc, score.DefaultFrom)
				took += time.Since(start)
				people = len(s.people)

				start = time.Now()
				exact = bareLoop(b, f)
				bare += time.Since(start)
			}
			n := float64(people)
			b.ReportMetric(100*precision, "precision-%")
			b.ReportMetric(100*recall, "recall-%")
			b.ReportMetric(float64(compared), "pairs-compared")
			b.ReportMetric(n*(n-1)/2, "all-pairs")
			b.ReportMetric(n*float64(b.N)/took.Seconds(), "records/s")
			b.ReportMetric(n*float64(b.N)/bare.Seconds(), "bare-records/s")
			b.ReportMetric(float64(exact), "pairs-by-equality")
			b.ReportMetric(0, "ns/op")
		})
	}
}

// bareLoop reads the same file and counts pairs whose name and birthday are equal.
func bareLoop(b *testing.B, file string) (pairs int) {
	seen := map[string]int{}
	for _, c := range rowsOf(b, file) {
		k := c["given_name"] + c["surname"] + c["date_of_birth"]
		pairs += seen[k]
		seen[k]++
	}
	return pairs
}

// BenchmarkCompare is one comparison of two people that are read already.
func BenchmarkCompare(b *testing.B) {
	a := score.Read(parseRecord(b, "n=张伟 b=1988-03-12 p=13800138000 c=杭州 g=male a=浙江省杭州市西湖区文三路138号东方大厦12楼 e=zhangwei@mail.example"))
	c := score.Read(parseRecord(b, "n=Zhang Wei b=1988-03-12 p=13800138001 c=杭州 g=male a=文三路138号东方大厦12楼 e=zhangwei@post.example"))
	sc := pairScorer()
	b.ReportAllocs()
	for b.Loop() {
		sc.Weigh(score.Compare(a, c))
	}
}
