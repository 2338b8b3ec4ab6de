package blob_test

import (
	"bufio"
	"bytes"
	"crypto/md5"
	"encoding/hex"
	"encoding/xml"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"sort"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
)

// fakeS3 is enough of an S3 server for the contract: one bucket in memory,
// single and multipart uploads, ranges, paged listings. Every request must be signed.
type fakeS3 struct {
	*testing.T
	bucket  string
	mu      sync.Mutex
	objects map[string]object
	uploads map[string]map[int][]byte
	nextID  int
	fail    bool // the store is down
}

type object struct {
	body []byte
	at   time.Time
}

func (o object) etag() string {
	sum := md5.Sum(o.body)
	return `"` + hex.EncodeToString(sum[:]) + `"`
}

func startFakeS3(t *testing.T, bucket string) (*fakeS3, string) {
	f := &fakeS3{T: t, bucket: bucket, objects: map[string]object{}, uploads: map[string]map[int][]byte{}}
	srv := httptest.NewServer(f)
	t.Cleanup(srv.Close)
	return f, strings.TrimPrefix(srv.URL, "http://")
}

func (f *fakeS3) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	f.mu.Lock()
	defer f.mu.Unlock()
	auth := r.Header.Get("Authorization")
	if !strings.HasPrefix(auth, "AWS4-HMAC-SHA256 Credential=ACCESS/") || !strings.Contains(auth, "Signature=") {
		f.Errorf("unsigned request: %s %s", r.Method, r.URL)
	}
	if f.fail {
		refuse(w, http.StatusForbidden, "AccessDenied")
		return
	}
	bucket, key, _ := strings.Cut(strings.TrimPrefix(r.URL.Path, "/"), "/")
	q := r.URL.Query()
	switch {
	case bucket != f.bucket:
		refuse(w, http.StatusNotFound, "NoSuchBucket")
	case q.Has("location"):
		fmt.Fprint(w, `<LocationConstraint xmlns="http://s3.amazonaws.com/doc/2006-03-01/"></LocationConstraint>`)
	case key == "" && r.Method == "GET":
		f.list(w, q.Get("prefix"), q.Get("continuation-token"))
	case key == "":
		w.WriteHeader(http.StatusOK)
	case r.Method == "POST" && q.Has("uploads"):
		f.nextID++
		id := strconv.Itoa(f.nextID)
		f.uploads[id] = map[int][]byte{}
		fmt.Fprintf(w, "<InitiateMultipartUploadResult><Bucket>%s</Bucket><Key>%s</Key><UploadId>%s</UploadId></InitiateMultipartUploadResult>", bucket, key, id)
	case q.Has("uploadId"):
		f.multipart(w, r, key, q.Get("uploadId"), q.Get("partNumber"))
	default:
		f.object(w, r, key)
	}
}

func (f *fakeS3) multipart(w http.ResponseWriter, r *http.Request, key, id, part string) {
	parts, ok := f.uploads[id]
	switch {
	case !ok:
		refuse(w, http.StatusNotFound, "NoSuchUpload")
	case r.Method == "PUT":
		n, _ := strconv.Atoi(part)
		parts[n] = payload(r)
		w.Header().Set("ETag", object{body: parts[n]}.etag())
	case r.Method == "DELETE":
		delete(f.uploads, id)
		w.WriteHeader(http.StatusNoContent)
	default:
		numbers := []int{}
		for n := range parts {
			numbers = append(numbers, n)
		}
		sort.Ints(numbers)
		var body []byte
		for _, n := range numbers {
			body = append(body, parts[n]...)
		}
		delete(f.uploads, id)
		f.objects[key] = object{body, time.Now()}
		fmt.Fprintf(w, "<CompleteMultipartUploadResult><Bucket>%s</Bucket><Key>%s</Key><ETag>%s</ETag></CompleteMultipartUploadResult>", f.bucket, key, f.objects[key].etag())
	}
}

func (f *fakeS3) object(w http.ResponseWriter, r *http.Request, key string) {
	o, ok := f.objects[key]
	switch {
	case r.Method == "PUT":
		o = object{payload(r), time.Now()}
		f.objects[key] = o
		w.Header().Set("ETag", o.etag())
	case r.Method == "DELETE":
		delete(f.objects, key)
		w.WriteHeader(http.StatusNoContent)
	case !ok:
		refuse(w, http.StatusNotFound, "NoSuchKey")
	default:
		w.Header().Set("ETag", o.etag())
		http.ServeContent(w, r, "", o.at, bytes.NewReader(o.body))
	}
}

// list pages by two, so that paging is exercised.
func (f *fakeS3) list(w http.ResponseWriter, prefix, after string) {
	type content struct {
		Key          string
		LastModified string
		ETag         string
		Size         int
	}
	var out struct {
		XMLName               xml.Name `xml:"ListBucketResult"`
		IsTruncated           bool
		NextContinuationToken string
		Contents              []content
	}
	keys := []string{}
	for k := range f.objects {
		if strings.HasPrefix(k, prefix) && k > after {
			keys = append(keys, k)
		}
	}
	sort.Strings(keys)
	if out.IsTruncated = len(keys) > 2; out.IsTruncated {
		keys = keys[:2]
		out.NextContinuationToken = keys[1]
	}
	for _, k := range keys {
		o := f.objects[k]
		out.Contents = append(out.Contents, content{k, o.at.UTC().Format(time.RFC3339), o.etag(), len(o.body)})
	}
	_ = xml.NewEncoder(w).Encode(out)
}

// payload undoes the aws-chunked coding of signed streaming uploads.
func payload(r *http.Request) []byte {
	if !strings.HasPrefix(r.Header.Get("X-Amz-Content-Sha256"), "STREAMING-") {
		b, _ := io.ReadAll(r.Body)
		return b
	}
	var out []byte
	in := bufio.NewReader(r.Body)
	for {
		line, err := in.ReadString('\n')
		size, _, _ := strings.Cut(strings.TrimSpace(line), ";")
		n, perr := strconv.ParseInt(size, 16, 64)
		if err != nil || perr != nil || n == 0 {
			_, _ = io.Copy(io.Discard, in)
			return out
		}
		chunk := make([]byte, n)
		if _, err := io.ReadFull(in, chunk); err != nil {
			return nil
		}
		out = append(out, chunk...)
		_, _ = in.ReadString('\n')
	}
}

func refuse(w http.ResponseWriter, status int, code string) {
	w.WriteHeader(status)
	fmt.Fprintf(w, "<Error><Code>%s</Code><Message>%s</Message></Error>", code, code)
}
