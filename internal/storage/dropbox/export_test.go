package dropbox

// NewAt is New for an API that is served elsewhere.
func NewAt(c Config, api string) (*Store, error) { return newStore(c, hosts{api: api, content: api}) }

// HeaderJSON and ChunkSize are tested as they are.
var HeaderJSON = headerJSON

const ChunkSize = chunkSize
