package main

import (
	"bytes"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
)

// needed is in every official archive of WordPress.
var needed = []string{
	"index.php", "license.txt", "readme.html", "wp-admin/index.php", "wp-config-sample.php", "wp-content/index.php",
	"wp-content/plugins/index.php", "wp-content/themes/index.php", "wp-cron.php", "wp-includes/version.php",
	"wp-includes/certificates/ca-bundle.crt", "wp-load.php", "wp-login.php", "wp-settings.php", "xmlrpc.php",
}

// silence is the index.php of directories that are not to be listed, as the official archive has it.
var silence = []byte("<?php\n// Silence is golden.\n")

// notOfficial is what Debian adds: its configuration looks for the site's own in /etc/wordpress, its .htaccess is a link
// there, and its folders for languages and uploads are empty.
var notOfficial = []string{"wp-config.php", ".htaccess", "wp-content/languages", "wp-content/uploads"}

// wordpress makes the layout of wordpress.org's archives.
func wordpress(system *tree) (map[string][]byte, error) {
	addCertificates(system)
	files := map[string][]byte{}
	skip := func(name string) bool { return slices.Contains(notOfficial, name) }
	for _, root := range []string{"var/lib/wordpress/wp-content", "usr/share/wordpress"} {
		to := ""
		if strings.HasSuffix(root, "wp-content") {
			to = "wp-content"
		}
		if err := system.copyInto(files, root, to, skip); err != nil {
			return nil, err
		}
	}
	if err := system.copyInto(files, "usr/share/doc/wordpress/copyright", "license.txt", skip); err != nil {
		return nil, err
	}
	for _, name := range []string{"wp-content/index.php", "wp-content/plugins/index.php", "wp-content/themes/index.php"} {
		if _, ok := files[name]; !ok {
			files[name] = silence
		}
	}
	for _, name := range needed {
		if len(files[name]) == 0 {
			return nil, fmt.Errorf("its packages have no %s, which WordPress needs", name)
		}
	}
	return files, checkThemes(files)
}

// addCertificates makes the file that Debian makes of ca-certificates when it is installed.
func addCertificates(system *tree) {
	const from = "usr/share/ca-certificates/mozilla"
	var bundle bytes.Buffer
	for _, name := range slices.Sorted(slices.Values(system.dirs[from])) {
		bundle.Write(bytes.TrimSpace(system.files[from+"/"+name]))
		bundle.WriteByte('\n')
	}
	if bundle.Len() > 0 {
		system.addFile("etc/ssl/certs/ca-certificates.crt", bundle.Bytes())
	}
}

var defaultTheme = regexp.MustCompile(`define\(\s*'WP_DEFAULT_THEME',\s*'([a-z]+)'`)

// checkThemes looks for the theme that a fresh installation uses: without it the front page is empty.
func checkThemes(files map[string][]byte) error {
	m := defaultTheme.FindSubmatch(files["wp-includes/default-constants.php"])
	if m == nil {
		return fmt.Errorf("wp-includes/default-constants.php names no default theme")
	}
	if _, ok := files["wp-content/themes/"+string(m[1])+"/style.css"]; !ok {
		return fmt.Errorf("its packages have no theme %s, which a fresh installation uses: add wordpress-theme-%s to hack/releases/table.go", m[1], m[1])
	}
	return nil
}

// directories are those that the files need, parents first.
func directories(files map[string][]byte) []string {
	found := map[string]bool{}
	for name := range files {
		for dir, _ := split(name); dir != ""; dir, _ = split(dir) {
			found[dir] = true
		}
	}
	return slices.Sorted(maps.Keys(found))
}
