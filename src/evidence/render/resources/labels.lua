-- Finds every label, numbers it, and turns references into links; keeps a list of what is wrong.
local common = require 'common'
local rows = require 'rows'
local stringify = common.stringify

local labels = {}

local NAMES = { fig = 'Figure', tbl = 'Table', eq = 'Equation', sec = 'Section' }
local OUTSIDE = {
  ['panel-tabset'] = 'use headings', ['column-margin'] = 'use a footnote', aside = 'use a footnote',
  columns = 'use paragraphs', column = 'use paragraphs', ['column-page'] = 'leave the width to the renderer',
  ['column-screen'] = 'leave the width to the renderer', ['column-body'] = 'leave the width to the renderer',
  ['panel-sidebar'] = 'use paragraphs', ['panel-input'] = 'use paragraphs', ['layout'] = 'use single figures',
}

local Scan = {}
Scan.__index = Scan

function labels.new(manifest)
  return setmetatable({
    manifest = manifest, index = {}, anchors = {}, faults = {}, notes = {}, files = {},
    shared = { fig = 0, tbl = 0, eq = 0 }, chapter_number = 0, appendix_number = 0,
  }, Scan)
end

function Scan:fault(value, mend)
  self.faults[#self.faults + 1] =
    { file = self.chapter.file, cell = self.cell or 0, value = value, mend = mend }
end

-- Remember what of the rest of the book shows in the chapter: what it becomes depends on that and on its own text.
function Scan:tell(...)
  local told = self.chapter.told
  for _, word in ipairs { ... } do told[#told + 1] = word end
end

function Scan:lead(file, id)
  local leads = self.chapter.leads
  leads[#leads + 1] = { file = file, id = id }
end

-- Which cell a block came from: markers stand between the cells.
function Scan:mark(block)
  if common.is_marker(block) then self.cell = tonumber(block.text) end
end

----- Floats: figures and tables in one shape --------------------------------------------------------

local function caption_div(inlines)
  return pandoc.Div({ pandoc.Plain(inlines) }, pandoc.Attr('', { 'float-caption' }))
end

local function new_float(id, kind, caption, body)
  local content = pandoc.Blocks {}
  if #caption > 0 then content:insert(caption_div(caption)) end
  content:extend(body)
  return pandoc.Div(content, pandoc.Attr(id, { 'float' }, { kind = kind }))
end

local function image_alt(image)
  local alt = image.attributes['fig-alt'] or image.attributes.alt
  image.attributes['fig-alt'], image.attributes.alt = nil, nil
  return alt or stringify(image.caption)
end

local function lone_image(block)
  if (block.t == 'Para' or block.t == 'Plain') and #block.content == 1 and block.content[1].t == 'Image' then
    return block.content[1]
  end
end

local function float_of_figure(figure)
  local caption = pandoc.utils.blocks_to_inlines(figure.caption.long)
  local id = figure.identifier
  figure = figure:walk { Image = function(image)
    if id == '' then id = image.identifier end
    local alt = image_alt(image)
    image.identifier = ''
    image.caption = pandoc.Inlines(alt)
    return image
  end }
  return new_float(id, 'fig', caption, figure.content)
end

local function float_of_table(tbl)
  local caption = pandoc.utils.blocks_to_inlines(tbl.caption.long)
  local id = tbl.identifier
  tbl.identifier, tbl.caption = '', { long = {} }
  return new_float(id, 'tbl', caption, { tbl })
end

local function float_of_image(image)
  local id, alt = image.identifier, image_alt(image)
  image.identifier = ''
  image.caption = pandoc.Inlines(alt)
  return new_float(id, 'fig', pandoc.Inlines {}, { pandoc.Plain { image } })
end

-- A division labelled as figure or table; its own caption wins, then the table's, then the last paragraph.
local function float_of_div(div)
  local kind = common.kind(div.identifier)
  local caption, body = common.float_parts(div)
  local inner, found = pandoc.Blocks {}, pandoc.Inlines {}
  for _, block in ipairs(body) do
    if block.t == 'Div' and block.classes:includes('float') then
      local own, blocks = common.float_parts(block)
      if #found == 0 then found = own end
      inner:extend(blocks)
    else
      inner:insert(block)
    end
  end
  if #caption == 0 then caption = found end
  local last = inner[#inner]
  if #caption == 0 and #inner > 1 and last.t == 'Para' and not lone_image(last) then
    caption = inner:remove().content
  end
  local float = new_float(div.identifier, kind, caption, inner)
  float.attributes.data = div.attributes.data
  return float
end

-- '$$...$$ {#eq-x}' becomes a span with that label.
local function labelled_equations(inlines)
  local out, index = pandoc.Inlines {}, 1
  while index <= #inlines do
    local here, step = inlines[index], 1
    if here.t == 'Math' and here.mathtype == 'DisplayMath' then
      local after = inlines[index + 1]
      local tag = after and (after.t == 'Space' or after.t == 'SoftBreak') and inlines[index + 2] or after
      local id = tag and tag.t == 'Str' and tag.text:match('^{#(eq%-[%w_%-]+)}$')
      if id then
        here = pandoc.Span({ here }, pandoc.Attr(id, { 'equation' }))
        step = tag == after and 2 or 3
      end
    end
    out:insert(here)
    index = index + step
  end
  return out
end

-- A callout's title, given as attribute or as its first heading, becomes a division of its own at its head.
local function callout_heading(div)
  if not common.callout_class(div) then return nil end
  local title, first = div.attributes.title, div.content[1]
  local inlines = pandoc.Inlines {}
  if title then
    inlines = pandoc.utils.blocks_to_inlines(pandoc.read(title, 'markdown').blocks)
  elseif first and first.t == 'Header' then
    inlines = first.content
    div.content:remove(1)
  end
  div.attributes.title = nil
  div.content:insert(1, pandoc.Div({ pandoc.Plain(inlines) }, pandoc.Attr('', { 'heading-of-callout' })))
  return div
end

-- Bring all spellings of a figure or a table into one: Div.float with caption and body.
function labels.normalise(doc)
  return doc:walk {
    traverse = 'typewise',
    Figure = float_of_figure,
    Table = float_of_table,
    Para = function(para)
      local words = stringify(para) -- cheap; the inlines one by one are not
      local image = words == '' and lone_image(para)
      if image then return float_of_image(image) end
      if not words:find('{#eq-', 1, true) then return nil end
      para.content = labelled_equations(para.content)
      return para
    end,
  }:walk {
    Div = function(div)
      local kind = common.kind(div.identifier)
      if (kind == 'fig' or kind == 'tbl') and not div.attributes.kind then return float_of_div(div) end
      return callout_heading(div)
    end,
  }
end

----- Numbers ---------------------------------------------------------------------------------------

function Scan:number_chapter(unnumbered)
  local chapter = self.chapter
  if unnumbered or not self.manifest.number_sections then return end
  if chapter.appendix then
    self.appendix_number = self.appendix_number + 1
    chapter.number = string.char(64 + self.appendix_number)
  else
    self.chapter_number = self.chapter_number + 1
    chapter.number = tostring(self.chapter_number)
  end
end

-- Numbers restart in each numbered chapter; chapters without a number share one count.
function Scan:next(kind)
  local counts = self.chapter.number and self.counts or self.shared
  counts[kind] = counts[kind] + 1
  return (self.chapter.number and self.chapter.number .. '.' or '') .. counts[kind]
end

function Scan:define(id, entry)
  if id == '' then return end
  local first = self.index[id]
  if first then
    self:fault('#' .. id, 'is already a label in ' .. first.chapter.file .. ' cell ' .. first.cell
      .. '; a label may occur once in the book')
  else
    entry.id, entry.chapter, entry.cell = id, self.chapter, self.cell or 0
    self.index[id] = entry
  end
end

function Scan:section_number(header)
  if header.classes:includes('unnumbered') or not self.chapter.number then return nil end
  local counts = self.sections
  counts[header.level] = (counts[header.level] or 0) + 1
  for level = header.level + 1, 6 do counts[level] = nil end
  local parts = { self.chapter.number }
  for level = 2, header.level do parts[#parts + 1] = tostring(counts[level] or 0) end
  return table.concat(parts, '.')
end

----- First pass: titles, labels, faults -----------------------------------------------------------------

-- The title is the YAML title or the one first-level heading; it leaves the body.
function Scan:take_title(doc)
  local chapter, heading = self.chapter, nil
  local blocks = pandoc.Blocks {}
  for _, block in ipairs(doc.blocks) do
    self:mark(block)
    if block.t == 'Header' and block.level == 1 and not heading then
      heading, chapter.title_cell = block, self.cell
    else
      blocks:insert(block)
    end
  end
  self.cell = chapter.title_cell or 1
  if chapter.title and heading then
    self:fault('# ' .. stringify(heading), 'a chapter has either a YAML title or one first-level heading')
  elseif not chapter.title and not heading then
    self:fault(chapter.file, 'has no title; begin with "# Title"')
  end
  chapter.inlines = chapter.title and pandoc.utils.blocks_to_inlines(pandoc.read(chapter.title).blocks)
    or heading and heading.content or pandoc.Inlines(chapter.file)
  chapter.plain_title = stringify(chapter.inlines)
  self:number_chapter(chapter.unnumbered or heading and heading.classes:includes('unnumbered'))
  chapter.id = heading and common.kind(heading.identifier) and heading.identifier or chapter.key
  if common.kind(chapter.id) then
    self:define(chapter.id, { kind = 'sec', chapter_title = true, number = chapter.number })
  end
  self.anchors[chapter.file] = { [chapter.id] = true }
  if heading then self.anchors[chapter.file][heading.identifier] = chapter.id end
  return pandoc.Pandoc(blocks, doc.meta)
end

function Scan:header(header)
  if header.level == 1 then
    self:fault('# ' .. stringify(header), 'a second first-level heading becomes a second chapter; use ##')
  elseif header.level > self.level + 1 then
    self:fault(('#'):rep(header.level) .. ' ' .. stringify(header), 'skips a heading level')
  end
  self.level = math.max(header.level, 1)
  local number = self:section_number(header)
  if number then header.attributes.number = number end
  self:tell('section', number or '')
  self.anchors[self.chapter.file][header.identifier] = header.identifier
  if common.kind(header.identifier) == 'sec' then
    self:define(header.identifier, { kind = 'sec', number = number, title = stringify(header) })
  end
  return header
end

function Scan:float(div)
  self.chapter.prose = false
  local kind, id = div.attributes.kind, div.identifier
  if id ~= '' and common.kind(id) ~= kind then
    self:fault('#' .. id, 'a label of a ' .. NAMES[kind]:lower() .. ' begins with ' .. kind .. '-')
  end
  local caption = common.float_parts(div)
  if id ~= '' then
    div.attributes.number = self:next(kind)
    self:tell(kind, div.attributes.number)
    self:define(id, { kind = kind, number = div.attributes.number })
    if #caption == 0 then self:fault('#' .. id, 'has a label but no caption') end
    self.anchors[self.chapter.file][id] = id
  end
  return div
end

function Scan:div(div)
  self:classes(div.classes)
  for name in pairs(div.attributes) do
    if name:match('^layout') then self:fault(name, 'layouts are outside the subset; show single figures') end
  end
  for _, class in ipairs(div.classes) do
    if class:match('^callout%-') and not common.callouts[class] then
      self:fault('.' .. class, 'is no callout; there are note, tip, warning, important, caution')
    end
  end
  if div.classes:includes('float') and div.attributes.kind then return self:float(div) end
  if div.identifier ~= '' then self.anchors[self.chapter.file][div.identifier] = div.identifier end
end

function Scan:classes(classes)
  for _, class in ipairs(classes) do
    if OUTSIDE[class] then self:fault('.' .. class, 'is outside the subset; ' .. OUTSIDE[class]) end
  end
end

-- A book has thousands of spans, and what is asked of an element is dear: most have no name, and stay as they are.
function Scan:span(span)
  local id, classes = span.identifier, span.classes
  self:classes(classes)
  if id == '' then return nil end
  self.anchors[self.chapter.file][id] = id
  if not classes:includes('equation') or common.kind(id) ~= 'eq' then return nil end
  local number = self:next('eq')
  span.attributes.number = number
  self:tell('eq', number)
  self:define(id, { kind = 'eq', number = number })
  return span
end

function Scan:image(image)
  local src = common.unquote(image.src)
  if src:match('^%a[%w+.-]*:') then
    self:fault(src, 'an image must be a file of the project: a report makes no request to the network')
    return
  end
  local path = common.join(self.chapter.folder, src)
  local root = self.manifest.root .. '/' .. path
  if common.exists(self.manifest.work .. '/' .. path) then return end
  if common.exists(root) then self.files[path] = true else self:fault(src, 'there is no such image') end
end

function Scan:alt(image)
  self.chapter.prose = false
  if stringify(image.caption) == '' and not image.attributes['fig-alt'] then
    self:fault(image.src, 'give alt text: fig-alt="..."')
  end
end

-- Formulas that Pandoc cannot convert would reach the reader as TeX.
function Scan:math(math)
  self.chapter.prose = false
  local messages = pandoc.log.silence(function()
    pandoc.write(pandoc.Pandoc { pandoc.Plain { math } }, 'html5',
      pandoc.WriterOptions { html_math_method = 'mathml' })
  end)
  if #messages > 0 then self:fault(math.text, 'is no formula that can be converted') end
end

function Scan:raw(raw, inline)
  local format = raw.format
  if format == 'cell' then return end
  if inline and format == 'html' and not raw.text:match('^<!%-%-') then
    self:fault(raw.text, 'HTML within a paragraph is lost on paper; use Markdown, or a raw {=html} block')
  elseif format ~= 'html' and format ~= 'typst' then
    self:fault(raw.text:sub(1, 40), 'raw ' .. format .. ' reaches neither format; use {=html} and {=typst} blocks')
  end
end

function Scan:collect(doc)
  self.counts, self.sections, self.level = { fig = 0, tbl = 0, eq = 0 }, {}, 1
  return doc:walk {
    traverse = 'topdown',
    Div = function(div) return self:div(div) end,
    Header = function(header) return self:header(header) end,
    Span = function(span) return self:span(span) end,
    Image = function(image) self:alt(image); self:image(image) end,
    RawBlock = function(raw) self:mark(raw); self:raw(raw) end,
    RawInline = function(raw) self:raw(raw, true) end,
    Math = function(math) self:math(math) end,
  }
end

----- Second pass: references ------------------------------------------------------------------------------

local function nbsp(name, number) return pandoc.Str(name .. '\u{a0}' .. number) end

local function entry_name(entry)
  if not entry.chapter_title then return NAMES[entry.kind] end
  return entry.chapter.appendix and 'Appendix' or 'Chapter'
end

-- What a reader sees: "Figure 2.1", the bare number for [-@fig-x], an own prefix for [Fig. @fig-x].
local function shown(entry, citation)
  if not entry.number then
    return pandoc.Inlines(entry.title or entry.chapter.plain_title)
  elseif citation.mode == 'SuppressAuthor' then
    return pandoc.Inlines { pandoc.Str(entry.number) }
  elseif #citation.prefix > 0 then
    local inlines = pandoc.Inlines(citation.prefix)
    inlines:insert(pandoc.Str('\u{a0}' .. entry.number))
    return inlines
  end
  return pandoc.Inlines { nbsp(entry_name(entry), entry.number) }
end

function Scan:reference(citation)
  local id = citation.id:sub(1, 1):lower() .. citation.id:sub(2)
  local entry = self.index[id]
  if not entry then
    self:fault('@' .. citation.id, 'there is no such label in the book')
    return pandoc.Inlines { pandoc.Str('@' .. citation.id) }
  end
  self.refs[#self.refs + 1] = { from = self.chapter.file, to = id }
  local words = shown(entry, citation)
  self:tell('to', id, stringify(words))
  self:lead(entry.chapter.file, id)
  local link = pandoc.Link(words, '#' .. id, '', pandoc.Attr('', { 'xref' }))
  local out = pandoc.Inlines { link }
  if #citation.suffix > 0 then out:extend(citation.suffix) end
  return out
end

function Scan:cite(cite)
  local out, ours = pandoc.Inlines {}, 0
  for _, citation in ipairs(cite.citations) do
    if common.kind(citation.id) then
      ours = ours + 1
      if #out > 0 then out:extend { pandoc.Str(','), pandoc.Space() } end
      out:extend(self:reference(citation))
    end
  end
  if ours == 0 then return self:citation(cite) end
  if ours < #cite.citations then
    self:fault(stringify(cite.content), 'do not mix citations and cross-references in one bracket')
  end
  return out
end

-- A citation of the literature: remember where it stands, so that a missing key can be named with its place.
function Scan:citation(cite)
  for _, citation in ipairs(cite.citations) do
    self.chapter.cites['ref-' .. citation.id] = true
    self.cited[#self.cited + 1] =
      { id = citation.id, file = self.chapter.file, cell = self.cell or 0 }
  end
end

-- A link inside the book: '#id', 'other.ipynb', 'other.ipynb#id'. Its target becomes 'file#id'.
function Scan:link(link)
  local target = common.unquote(link.target)
  if link.classes:includes('xref') or target:match('^%a[%w+.-]*:') or target == '' then return end
  local path, id = target:match('^([^#]*)#?(.*)$')
  local file = path == '' and self.chapter.file or common.join(self.chapter.folder, path)
  local chapter = self.by_file[file] or self.by_page[file]
  if not chapter then return self:file_link(link, target, file) end
  local anchor = id == '' and chapter.id or self.anchors[chapter.file][id] or self.index[id] and id
  if not anchor then
    self:fault(link.target, 'there is no such place in ' .. chapter.file)
    return
  end
  anchor = anchor == true and id or anchor
  link.attributes['to-chapter'], link.attributes['to-anchor'] = chapter.file, anchor
  self:tell('in', chapter.file, anchor)
  self:lead(chapter.file, anchor)
  return link
end

function Scan:file_link(link, target, file)
  if target:match('%.ipynb$') or target:match('%.qmd$') then
    if not common.exists(self.manifest.root .. '/' .. file) then
      self:fault(link.target, 'there is no such chapter')
    end
  end
  if common.exists(self.manifest.root .. '/' .. file) then
    self.files[file] = true
  else
    self.notes[#self.notes + 1] = self.chapter.file .. ' cell ' .. (self.cell or 0) .. ' links to ' .. target
      .. ', which is not a file of the project'
  end
  link.attributes['to-file'] = file
  self:tell('file', file)
  return link
end

function Scan:resolve(doc)
  return doc:walk {
    traverse = 'topdown',
    RawBlock = function(raw) self:mark(raw) end,
    Cite = function(cite) return self:cite(cite) end,
    Link = function(link) return self:link(link) end,
  }
end

----- The whole book -----------------------------------------------------------------------------------------

function Scan:tables_of_chapters()
  self.by_file, self.by_page, self.refs, self.cited = {}, {}, {}, {}
  for position, chapter in ipairs(self.manifest.chapters) do
    chapter.key, chapter.number, chapter.title_cell = 'chapter-' .. position, nil, nil
    chapter.told, chapter.leads, chapter.cites, chapter.prose = {}, {}, {}, true
    self.by_file[chapter.file], self.by_page[chapter.page] = chapter, chapter
  end
end

-- Reads Markdown; what Pandoc warns of is a fault of the cell it names nothing of, so of the chapter.
function Scan:read(chapter)
  local doc
  local text = rows.take(common.read(chapter.source))
  local messages = pandoc.log.silence(function() doc = pandoc.read(text, self.manifest.reader) end)
  for _, message in ipairs(messages) do
    if message.verbosity ~= 'INFO' then
      self:fault(message.type or 'markup', (message.pretty or stringify(message.message or '')))
    end
  end
  return doc
end

-- The chapter in one shape, as its author wrote it.
function Scan:chapter_of(position)
  self.chapter, self.cell = self.manifest.chapters[position], 1
  rows.reader = self.manifest.reader
  return labels.normalise(self:read(self.chapter))
end

-- Number and resolve a book whose chapters, or the skeletons of some, are given.
function Scan:book(given)
  self:tables_of_chapters()
  local docs = {}
  for position, chapter in ipairs(self.manifest.chapters) do
    self.chapter, self.cell = chapter, 1
    local doc = self:take_title(given[position])
    self.cell = 1
    docs[position] = self:collect(doc)
  end
  for position, chapter in ipairs(self.manifest.chapters) do
    self.chapter, self.cell = chapter, 1
    docs[position] = self:resolve(docs[position])
  end
  return self:cite_literature(docs)
end

----- Literature ---------------------------------------------------------------------------------------------

function Scan:literature_meta()
  local meta = { ['link-citations'] = true, lang = pandoc.MetaString(self.manifest.lang), bibliography = {} }
  local function add(list, path)
    local full = self.manifest.root .. '/' .. path
    if path ~= '' and common.exists(full) then list[#list + 1] = pandoc.MetaString(full) end
  end
  local styles = {}
  for _, path in ipairs(self.manifest.bibliography) do add(meta.bibliography, path) end
  add(styles, self.manifest.csl)
  meta.csl = styles[1]
  return meta
end

function Scan:missing_keys(doc)
  local known = {}
  for _, reference in ipairs(pandoc.utils.references(doc)) do known[reference.id] = true end
  for _, cited in ipairs(self.cited) do
    if not known[cited.id] then
      self.faults[#self.faults + 1] = { file = cited.file, cell = cited.cell, value = '@' .. cited.id,
        mend = 'there is no such key in the bibliography' }
    end
  end
end

-- One run over the whole book, so that "2023a" is the same paper on every page; then apart again.
function Scan:cite_literature(docs)
  if #self.cited == 0 then return docs, pandoc.Blocks {} end
  local whole = pandoc.Blocks {}
  for position, doc in ipairs(docs) do
    whole:insert(pandoc.Div(doc.blocks, pandoc.Attr('', { 'chapter-' .. position })))
  end
  local doc = pandoc.Pandoc(whole, self:literature_meta())
  self:missing_keys(doc)
  if #self.faults > 0 then return docs, pandoc.Blocks {} end
  local cited
  pandoc.log.silence(function() cited = pandoc.utils.citeproc(doc) end)
  for position = 1, #docs do docs[position].blocks = cited.blocks[position].content end
  local list = cited.blocks[#docs + 1]
  return docs, list and list.content or pandoc.Blocks {}
end

return labels
