-- Run by `pandoc lua book.lua manifest.json`: scans the whole book, and writes what its share of the chapters becomes.
-- Several of these work at once, each on a share. A chapter is read whole only where what it becomes is not in store;
-- to the numbers and references of the others its skeleton is enough.
package.path = (arg[0]:match('^(.*)[/\\]') or '.') .. '/?.lua;' .. package.path

local common = require 'common'
local labels = require 'labels'
local plain = require 'plain'
local skeleton = require 'skeleton'
local store = require 'store'

local manifest = pandoc.json.decode(common.read(arg[1]), false)
local sha1 = pandoc.utils.sha1
for _, chapter in ipairs(manifest.chapters) do
  if chapter.title == '' then chapter.title = nil end
end
for index, position in ipairs(manifest.share) do manifest.share[index] = math.tointeger(position) end -- JSON has floats
plain.off = manifest.by_pandoc
store.folder, store.token = manifest.cache or nil, manifest.token

local scan, read = labels.new(manifest), {}

local function say(word)
  io.stdout:write(word, '\n')
  io.stdout:flush()
end

local function read_whole(position)
  read[#read + 1] = manifest.chapters[position].file
  return scan:chapter_of(position)
end

local function skeleton_file(position) return manifest.exchange .. '/' .. position .. '.skeleton' end

----- What others need to know of this share's chapters ------------------------------------------------------

local whole = {} -- chapters that were read, by position

local function scan_share()
  for _, position in ipairs(manifest.share) do
    local chapter = manifest.chapters[position]
    local known = store.get('scan', chapter.digest)
    if not known then
      whole[position] = read_whole(position)
      known = skeleton.text(skeleton.of(whole[position].blocks))
    end
    chapter.known = known
    common.write(skeleton_file(position), known)
  end
  say('scanned')
  if not io.stdin:read('l') then os.exit(1) end
end

local function chapters_or_skeletons()
  local given = {}
  for position in ipairs(manifest.chapters) do
    given[position] = whole[position] or skeleton.read(common.read(skeleton_file(position)))
  end
  return given
end

----- Under which key what a chapter becomes is kept -----------------------------------------------------------

-- Where the chapter's links lead.
local function places(chapter)
  local found = {}
  for _, to in ipairs(chapter.leads) do
    local target, id = scan.by_file[to.file], to.id
    table.move({ target.page, target.key, tostring(id == target.id), tostring(scan.index[id] ~= nil) }, 1, 4,
      #found + 1, found)
  end
  return table.concat(found, '\0')
end

local function own_labels(chapter)
  local found = {}
  for id in pairs(scan.anchors[chapter.file]) do
    if scan.index[id] then found[#found + 1] = id end
  end
  table.sort(found)
  return table.concat(found, '\0')
end

-- What the chapter cites as it stands there, and the entries of the literature for it.
local function citations(chapter, doc, literature)
  if not next(chapter.cites) then return '' end
  local cites = pandoc.Inlines {}
  doc:walk { Cite = function(cite) cites:insert(cite) end }
  local found = literature:filter(function(entry) return chapter.cites[entry.identifier] end)
  found:insert(1, pandoc.Plain(cites))
  return skeleton.text(pandoc.Pandoc(found))
end

local function key_of(position, doc, literature)
  local chapter, before = manifest.chapters[position], manifest.chapters[position - 1]
  return sha1(table.concat({
    manifest.base, chapter.digest, chapter.file, chapter.key, chapter.id, chapter.number or '', chapter.part,
    tostring(chapter.appendix), tostring(chapter.crowded), before and before.part or '\1',
    table.concat(chapter.told, '\0'), places(chapter), own_labels(chapter), citations(chapter, doc, literature),
  }, '\0'))
end

----- The share, from store or from the chapters ---------------------------------------------------------------

local docs, literature, keys, made

local function look_up()
  keys, made = {}, {}
  for _, position in ipairs(manifest.share) do
    keys[position], made[position] = store.folder and key_of(position, docs[position], literature) or '', {}
    for _, mode in ipairs(manifest.modes) do made[position][mode] = store.get(mode, keys[position]) end
  end
end

local function is_missing(position)
  for _, mode in ipairs(manifest.modes) do
    if not made[position][mode] then return true end
  end
  return false
end

-- Read what is missing and known by its skeleton only; then the book is scanned again, with these chapters whole.
local function complete()
  local given
  for _, position in ipairs(manifest.share) do
    if is_missing(position) and not whole[position] then
      given = true
      whole[position] = read_whole(position)
    end
  end
  if not given then return end
  scan = labels.new(manifest)
  docs, literature = scan:book(chapters_or_skeletons())
end

local writers = {}

function writers.typst(position, text) common.write(manifest.exchange .. '/' .. position .. '.typ', text) end

function writers.html(position, text)
  local key = store.folder and sha1(scan.shared .. keys[position])
  local page = store.get('page', key)
  if not page then
    page = require('html').page(scan, position, text)
    store.put('page', key, page)
  end
  common.write(manifest.out .. '/' .. manifest.chapters[position].page, page)
end

local function write(mode)
  local writer, settled = require(mode), false
  if mode == 'html' then scan.shared = writer.shared(scan) end
  for _, position in ipairs(manifest.share) do
    local text = made[position][mode]
    if not text then
      if not settled then writer.settle() end
      settled = true
      text = writer.fragment(scan, position, docs[position], literature)
      store.put(mode, keys[position], text)
    end
    writers[mode](position, text)
  end
  if mode == 'typst' and manifest.share[1] == 1 then -- what is of no chapter is written by one run alone
    common.write(manifest.exchange .. '/front.typ', writer.front())
    common.write(manifest.exchange .. '/back.typ', writer.back(literature))
  end
  say(mode)
end

scan_share()
local faults = scan.faults
docs, literature = scan:book(chapters_or_skeletons())

if #scan.faults == 0 and #manifest.modes > 0 then
  require('typst').mark_crowded(manifest.chapters)
  look_up()
  for _, position in ipairs(manifest.share) do
    local chapter = manifest.chapters[position]
    if whole[position] then store.put('scan', chapter.digest, chapter.known) end
  end
  complete()
  for _, mode in ipairs(manifest.modes) do write(mode) end
end

local files = {}
for path in pairs(scan.files) do files[#files + 1] = path end
table.sort(files)
-- Empty Lua tables are ambiguous in JSON: the reader takes an empty object as an empty list.
common.write(manifest.result, pandoc.json.encode {
  faults = faults, notes = scan.notes, files = files, read = read, used = store.used,
})
