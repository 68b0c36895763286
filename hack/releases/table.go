package main

// archive is one release of an application and the packages that hold it.
type archive struct {
	application, version string
	// layout makes the vendor's tree, without its leading directory, of the system that the packages give.
	layout   func(*tree) (map[string][]byte, error)
	packages []pkg
}

// pkg is one package of Debian, at one version. Where a version is no longer to be had, the program says which one is:
// pin that one here, with its checksum, and then what comes of it in SHA256SUMS and in test/catalogue.
type pkg struct {
	// source is the name of the source package, by which the pool is sorted.
	source, name, version string
	// suite is where to look for another version.
	suite  string
	sha256 string
}

var archives = []archive{
	{"wordpress", "5.7.11", wordpress, append([]pkg{
		{"wordpress", "wordpress", "5.7.11+dfsg1-0+deb11u1", "bullseye", "50ab5d54a5a43ecd5ce48afde5bc36f42afdd00b435a40b9037edd9ff81d7ff5"},
		{"wordpress", "wordpress-theme-twentynineteen", "5.7.11+dfsg1-0+deb11u1", "bullseye", "60a539ff9f6a95c195211b9e6afa813eda407945228105b40a8bde55befe75c5"},
		{"wordpress", "wordpress-theme-twentytwenty", "5.7.11+dfsg1-0+deb11u1", "bullseye", "6deb807f99e01148c15b63f2f64eb6f587cc8d7f243145344e5ff84fa5f7f85f"},
		{"wordpress", "wordpress-theme-twentytwentyone", "5.7.11+dfsg1-0+deb11u1", "bullseye", "37d12485b3277a1cd19410953e5abe7bc500a60db2d05878745cc8a2dddc45e7"},
	}, bullseye...)},
	{"wordpress", "5.7.14", wordpress, append([]pkg{
		{"wordpress", "wordpress", "5.7.14+dfsg1-0+deb11u1", "bullseye", "f83af86d9f5e186affa304bad301c569d74624880ca1d0f8c60658ad54055c5a"},
		{"wordpress", "wordpress-theme-twentynineteen", "5.7.14+dfsg1-0+deb11u1", "bullseye", "cd52e343f7e6d4dfc203312fac0f6f5e62c72360ace9fb05bcab563d2cca3d0c"},
		{"wordpress", "wordpress-theme-twentytwenty", "5.7.14+dfsg1-0+deb11u1", "bullseye", "1b43d0f91dcda748036e4f879d993901eff842e3161c826d9a78ae917d3e0ad1"},
		{"wordpress", "wordpress-theme-twentytwentyone", "5.7.14+dfsg1-0+deb11u1", "bullseye", "269dc82b36117352f8006dd1d75244c6653c04411d14d002424926c2d0a27ef3"},
	}, bullseye...)},
	{"wordpress", "6.1.9", wordpress, append([]pkg{
		{"wordpress", "wordpress", "6.1.9+dfsg1-0+deb12u1", "bookworm", "506283af0a6194efeb39f2fb19e6131d59142a20b81e280b8e9f331385c54937"},
		{"wordpress", "wordpress-theme-twentytwentyone", "6.1.9+dfsg1-0+deb12u1", "bookworm", "f99bace8357c7c7418db71c431d19acf062132133a48fa19f105a69d775d29a0"},
		{"wordpress", "wordpress-theme-twentytwentytwo", "6.1.9+dfsg1-0+deb12u1", "bookworm", "ba8f9e0ffd1162f8a95b9e2ab3dc39b08be21b5e9917c4a72b0f484f5eceb17a"},
		{"wordpress", "wordpress-theme-twentytwentythree", "6.1.9+dfsg1-0+deb12u1", "bookworm", "0771f56e40dea08b1cd5ad5106d65eec75c2135fdcb407cc55fb4cbc265af012"},
	}, bookworm...)},
	{"wordpress", "6.8.7", wordpress, append([]pkg{
		{"wordpress", "wordpress", "6.8.7+dfsg1-0+deb13u1", "trixie", "b6716bf40142516c0120cebb63c4cb323354277dbf90aa0e9a5d9bae3fca2d38"},
		{"wordpress", "wordpress-theme-twentytwentythree", "6.8.7+dfsg1-0+deb13u1", "trixie", "3958f22592ff20ef7eb434150cd213c355a34c1083e23819fb98d0e12a82c3ea"},
		{"wordpress", "wordpress-theme-twentytwentyfour", "6.8.7+dfsg1-0+deb13u1", "trixie", "328c6bc7577453dbe87bf414cef96e092ac4a0e6147801dd3cafb068e9a16bcf"},
		{"wordpress", "wordpress-theme-twentytwentyfive", "6.8.7+dfsg1-0+deb13u1", "trixie", "7af11e32a8499e27ac38c35b0d2b5319e499eebe63cf80b4f7610fb375dfb708"},
	}, trixie...)},
	{"wordpress", "6.8.12", wordpress, append([]pkg{
		{"wordpress", "wordpress", "6.8.12+dfsg1-0+deb13u1", "trixie", "d398d413b9f95695a9bf57a6a5830cc6f8c5ac42b4151015ffbd6d6756266a8d"},
		{"wordpress", "wordpress-theme-twentytwentythree", "6.8.12+dfsg1-0+deb13u1", "trixie", "afe85de20e2e161b3c69779578de49549c643fa8b3bf85d6bf277df14b1983f0"},
		{"wordpress", "wordpress-theme-twentytwentyfour", "6.8.12+dfsg1-0+deb13u1", "trixie", "4eab39ddb45e1a0067b6860b32d79bf5bb8bf36bc143f7bf3b876b89dbb27c21"},
		{"wordpress", "wordpress-theme-twentytwentyfive", "6.8.12+dfsg1-0+deb13u1", "trixie", "2e0676de0a4c075c41e7947ac645b3683bed0ef00f48f7d2af98876efa6b2eb8"},
	}, trixie...)},
}

// The packages into which WordPress's own has links, by suite.
var (
	bullseye = []pkg{
		{"jscropperui", "libjs-cropper", "1.2.2-1.1", "bullseye", "41217e7b75a227b53fe96f37b7974b117e0c85f2a041ef420f259b7cb59abdb2"},
		{"underscore", "libjs-underscore", "1.9.1~dfsg-3", "bullseye", "85fb8fd215bc742f1a17285b3bf38a2a0d0aa5b2c2188f8d7dec2323d2ab945d"},
		{"php-getid3", "php-getid3", "1.9.20+dfsg-1", "bullseye", "1d4b3bd5852428077a3b8235bb1f3e3248c8ed144b902bb58ba28a65d7e24b02"},
	}
	bookworm = []pkg{
		{"jscropperui", "libjs-cropper", "1.2.2-2", "bookworm", "933ad4a9b49c4ef9fff4d6cb25400c7a5d3c83b8447f6374c00371c3fa851d63"},
		{"underscore", "libjs-underscore", "1.13.4~dfsg+~1.11.4-3", "bookworm", "4a0fbc90e7f62ea50c4ac7453352721fa60bb5eac87e9f39a027908faff29015"},
		{"php-getid3", "php-getid3", "1.9.22+dfsg-1", "bookworm", "85a83dd7e18ff5f8ad2e2cc64b5f3199ac2dc8c8c8f988f3fb04f0f6c1f4a558"},
		{"ca-certificates", "ca-certificates", "20230311+deb12u1", "bookworm", "0d5f444f594e48c1e16a41d8fc628a09b24c658916a1274025c2330f2a802bed"},
	}
	trixie = []pkg{
		{"jscropperui", "libjs-cropper", "1.2.2-2", "trixie", "933ad4a9b49c4ef9fff4d6cb25400c7a5d3c83b8447f6374c00371c3fa851d63"},
		{"underscore", "libjs-underscore", "1.13.4~dfsg+~1.11.4-3", "trixie", "4a0fbc90e7f62ea50c4ac7453352721fa60bb5eac87e9f39a027908faff29015"},
		{"node-lodash", "libjs-lodash", "4.17.21+dfsg+~cs8.31.198.20210220-9+deb13u1", "trixie", "3ab11001abf36a57765180205aa6ff69bfb11ee6229fb89e3b60ae3e97bfbbee"},
		{"php-getid3", "php-getid3", "1.9.23+dfsg-1", "trixie", "513a710dfbc50f595be48e5bc68e9ae5c4850f08a792aafc0991f126b9d2635e"},
		{"ca-certificates", "ca-certificates", "20250419+deb13u1", "trixie", "c10585ac22c7f617a73d394eea29ba71d0356f350ae973b19043d1b017f80f54"},
	}
)
