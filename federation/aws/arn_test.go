package aws_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/podpass-io/podpass/federation/aws"
)

func TestParseRoleARN(t *testing.T) {
	for text, want := range map[string]aws.RoleARN{
		"arn:aws:iam::111122223333:role/orders":                             {Partition: "aws", Account: "111122223333", Path: "/", Name: "orders"},
		"arn:aws-us-gov:iam::111122223333:role/a/b/o.r+d":                   {Partition: "aws-us-gov", Account: "111122223333", Path: "/a/b/", Name: "o.r+d"},
		"arn:aws-iso-b:iam::111122223333:role/x":                            {Partition: "aws-iso-b", Account: "111122223333", Path: "/", Name: "x"},
		"arn:minio:iam:::role/oxnUw3DAuQF1uggjXGxI2AmW":                     {Partition: "minio", Path: "/", Name: "oxnUw3DAuQF1uggjXGxI2AmW"},
		"arn:aws:iam::111122223333:role/" + strings.Repeat("p", 510) + "/x": {Partition: "aws", Account: "111122223333", Path: "/" + strings.Repeat("p", 510) + "/", Name: "x"},
		"arn:a" + strings.Repeat("x", 31) + ":iam:::role/x":                 {Partition: "a" + strings.Repeat("x", 31), Path: "/", Name: "x"},
		"arn:aws:iam::111122223333:role/" + strings.Repeat("n", 64):         {Partition: "aws", Account: "111122223333", Path: "/", Name: strings.Repeat("n", 64)},
	} {
		if aws.PartitionOf(text) != want.Partition {
			t.Errorf("%s: partition %q", text, aws.PartitionOf(text))
		}
		got, err := aws.ParseRoleARN(text)
		if diff := cmp.Diff(want, got); diff != "" || err != nil {
			t.Errorf("%s: %v (-want +got)\n%s", text, err, diff)
		}
		if got.String() != text {
			t.Errorf("%s: String gives %s", text, got)
		}
	}
}

func TestParseRoleARNRefuses(t *testing.T) {
	for text, reason := range map[string]string{
		"":                                 "want arn:aws:iam",
		"orders":                           "want arn:aws:iam",
		"arn:aws:iam::111122223333":        "want arn:aws:iam",
		"arn:aws:iam::111122223333:user/x": "not the ARN of a role",
		"arn:aws:sts::111122223333:assumed-role/x/y":                        "not the ARN of a role",
		"arn:aws:sts::111122223333:role/x":                                  "before the account",
		"arn:aws:iam:eu-west-1:111122223333:role/x":                         "before the account",
		"arn:aws:iam::1111:role/x":                                          "twelve digits",
		"arn:aws:iam:::role/x":                                              "twelve digits",
		"arn:minio:iam::x:role/x":                                           "twelve digits",
		"arn:AWS:iam::111122223333:role/x":                                  `partition "AWS"`,
		"arn::iam::111122223333:role/x":                                     `partition ""`,
		"arn:aws:iam::111122223333:role/":                                   `role name ""`,
		"arn:aws:iam::111122223333:role/a b":                                `role name "a b"`,
		"arn:aws:iam::111122223333:role/x\n":                                "role name",
		"arn:aws:iam::111122223333:role/a//x":                               `path "/a//"`,
		"arn:aws:iam::111122223333:role/" + strings.Repeat("n", 65):         "1..64",
		"arn:aws:iam::111122223333:role/" + strings.Repeat("p/", 256) + "x": "path",
		"arn:aws:iam::1111222233334:role/x":                                 "twelve digits",
		"arn:a" + strings.Repeat("x", 32) + ":iam:::role/x":                 "partition",
		"arn:aws:iam::111122223333:role/" + strings.Repeat("p", 3000):       "not a role ARN",
	} {
		if _, err := aws.ParseRoleARN(text); err == nil || !strings.Contains(err.Error(), reason) {
			t.Errorf("%.60q: want %q: %v", text, reason, err)
		}
	}
}

// TestLimits: those of STS's documents.
func TestLimits(t *testing.T) {
	got := []int{aws.MinSessionDuration, aws.MaxSessionDuration, aws.MaxChainedSessionDuration, aws.MaxSessionPolicy}
	if diff := cmp.Diff([]int{900, 43200, 3600, 2048}, got); diff != "" {
		t.Error(diff)
	}
}

func TestForms(t *testing.T) {
	for name, test := range map[string]struct {
		valid     func(string) bool
		good, bad []string
	}{
		"any partition": {aws.ValidPartition, []string{"aws", "minio", "a" + strings.Repeat("x", 31)}, []string{"", "AWS", "1a", "a:b", "a" + strings.Repeat("x", 32)}},
		"account":       {aws.ValidAccount, []string{"111122223333"}, []string{"", "11112222333", "1111222233334", "11112222333x"}},
		"partition":     {aws.IsAWSPartition, []string{"aws", "aws-cn", "aws-us-gov", "aws-eusc"}, []string{"", "minio", "awsome"}},
		"region":        {aws.ValidRegion, []string{"eu-central-1", "us-gov-west-1", "us-iso-east-1", "ap-southeast-5"}, []string{"", "eu", "eu-central-1.evil.example", "eu-central-1/", "EU-CENTRAL-1", "eu-central-1\n"}},
		"session name":  {aws.ValidSessionName, []string{"me", "a.b=c,d@e-f+g_h", strings.Repeat("x", 64)}, []string{"", "x", "a b", "a/b", strings.Repeat("x", 65)}},
		"external ID":   {aws.ValidExternalID, []string{"id", "ab", "a:b/c", strings.Repeat("x", 1224)}, []string{"", "x", "a b", "é-id", strings.Repeat("x", 1225)}},
		"session tag":   {aws.ValidTag, []string{"a", "arn:aws:eks:eu-central-1:111122223333:cluster/main", "Größe 1_a.b=+@-", strings.Repeat("ü", 256)}, []string{"", "a\xff", "a;b", "a\nb", "a\xffb", strings.Repeat("x", 257)}},
	} {
		for _, s := range test.good {
			if !test.valid(s) {
				t.Errorf("%s %.40q: refused", name, s)
			}
		}
		for _, s := range test.bad {
			if test.valid(s) {
				t.Errorf("%s %.40q: accepted", name, s)
			}
		}
	}
}
