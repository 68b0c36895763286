package version

import "testing"

func TestCompare(t *testing.T) {
	// Each line is older than the next; versions on one line are equal.
	order := [][]string{
		{"5.7"}, {"6.8-dev"}, {"6.8-alpha1", "6.8a1"}, {"6.8-beta2", "6.8.beta.2"}, {"6.8-RC1", "6.8rc1"}, {"6.8rc2"},
		{"6.8", "6.8.0", "v6.8"}, {"6.8.7"}, {"6.8.12"}, {"6.8p1"}, {"6.9"}, {"10.0"}, {"10.18446744073709551616"}, {"11"},
	}
	for i, as := range order {
		for j, bs := range order {
			want := 0
			if i < j {
				want = -1
			} else if i > j {
				want = 1
			}
			for _, a := range as {
				for _, b := range bs {
					if got := Compare(a, b); got != want {
						t.Errorf("Compare(%q, %q) = %d, want %d", a, b, got, want)
					}
				}
			}
		}
	}
}

func TestServer(t *testing.T) {
	for text, want := range map[string]string{
		"10.11.6-MariaDB-0+deb12u1": "10.11.6", "5.5.5-10.11.6-MariaDB": "10.11.6", "8.0.36-0ubuntu0.22.04.1": "8.0.36",
		"8.2.36": "8.2.36", "5.5.5-m3": "5.5.5", "": "", "MariaDB": "",
	} {
		if got := Server(text); got != want {
			t.Errorf("Server(%q) = %q, want %q", text, got, want)
		}
	}
}

func TestRange(t *testing.T) {
	for _, c := range []struct {
		text    string
		in, out []string
	}{
		{"7.2.24-8.4.999,8.6-", []string{"7.2.24", "8.0", "8.4.3", "8.6", "9"}, []string{"7.2.23", "5", "8.5", "8.5.9"}},
		{"5-", []string{"5", "5.0.1", "6.8"}, []string{"4.9.26", "5-rc1"}},
		{"5.0-", []string{"5", "5.0", "10"}, []string{"4.9"}},
		{"-8", []string{"5", "8", "8.4.3", "8.999"}, []string{"9", "10.0"}},
		{"7.4-7.4", []string{"7.4", "7.4.33"}, []string{"7.3.99", "7.5"}},
		{"7.4.33-7.4", []string{"7.4.33", "7.4.40"}, []string{"7.4.3", "7.5"}},
		{"6.8", []string{"6.8", "6.8.7", "6.8.0"}, []string{"6.7", "6.9", "6.80"}},
		{"6", []string{"6", "6.9.1"}, []string{"5", "60"}},
		{"", []string{"1", "99"}, nil},
		{"-", []string{"1", "99"}, nil},
		{"1, 3-4", []string{"1.5", "3", "4.9"}, []string{"2", "5"}},
	} {
		r, err := ParseRange(c.text)
		if err != nil {
			t.Errorf("ParseRange(%q): %v", c.text, err)
			continue
		}
		for _, v := range c.in {
			if !r.Contains(v) {
				t.Errorf("%q does not hold %s", c.text, v)
			}
		}
		for _, v := range c.out {
			if r.Contains(v) {
				t.Errorf("%q holds %s", c.text, v)
			}
		}
	}
	for _, text := range []string{"9-8", "1,,2", "x-", "1-2-3", "8..1-", ","} {
		if _, err := ParseRange(text); err == nil {
			t.Errorf("ParseRange(%q) succeeded", text)
		}
	}
}

func TestLowest(t *testing.T) {
	for text, want := range map[string]string{"": "", "-8": "", "5.5.5-": "5.5.5", "7.1-,5.2.5-5.5.999": "5.2.5", "6.8": "6.8", "7-,-5": ""} {
		if got := Lowest(text); got != want {
			t.Errorf("the lowest of %q is %q, not %q", text, got, want)
		}
	}
}
