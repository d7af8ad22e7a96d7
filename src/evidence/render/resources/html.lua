-- Writes one HTML page per chapter.
local common = require 'common'
local plain = require 'plain'
local rows = require 'rows'
local stringify, escape = common.stringify, common.escape

local html = {}

local function raw(text) return pandoc.RawBlock('html', text) end

local function fragment(inlines)
  local words = plain.inlines(inlines, 'html')
  if words then return words end
  return (pandoc.write(pandoc.Pandoc { pandoc.Plain(inlines) }, 'html5',
    pandoc.WriterOptions { html_math_method = 'mathml', wrap_text = 'none' }):gsub('%s+$', ''))
end

-- Words only: for menus, where links and footnotes have no place.
local function words(inlines)
  return fragment(inlines:walk {
    Link = function(link) return link.content end,
    Note = function() return {} end,
    Span = function(span) return span.content end,
  })
end

-- A chapter's title in menus; every page has it, so it is written once.
local function menu_title(chapter)
  if not chapter.menu_title then chapter.menu_title = words(chapter.inlines) end
  return chapter.menu_title
end

----- Tables -----------------------------------------------------------------------------------------

local function scoped(cells, scope)
  for _, cell in ipairs(cells) do cell.attr.attributes.scope = scope end
  return cells
end

-- A header without words says nothing to those who hear the page.
local function name_empty(cells)
  for _, cell in ipairs(cells) do
    if stringify(cell.contents) == '' then
      cell.contents = { pandoc.Plain { pandoc.Span({ pandoc.Str('Item') }, pandoc.Attr('', { 'visually-hidden' })) } }
    end
  end
end

-- Numbers keep on one line; words may wrap, but not one word to a line.
local function cell_class(text, aligned)
  local length = utf8.len(text) or 0
  if aligned and (length < 20 or length < 32 and common.is_figure(text)) then return 'num' end
  if not aligned and length > 40 then return 'wordy' end
end

local function keep_together(row, aligned)
  for position, cell in ipairs(row.cells) do
    local class = cell_class(stringify(cell.contents), aligned[position])
    if class then cell.attr.classes:insert(class) end
  end
end

local function group_row(row, columns)
  local cell = row.cells[1]
  cell.col_span = columns
  cell.attr.attributes.scope = 'rowgroup'
  row.cells = { cell }
  row.attr.classes:insert('group')
  return row
end

-- Pandoc clips cells to the row heads' columns, but not in a body's own head rows.
local function new_body(row_heads, head)
  return { attr = pandoc.Attr(), head = head and { head } or {}, body = {}, row_head_columns = row_heads }
end

-- The first column heads the rows only where it says something in each of them.
local function row_heads(rows)
  for _, row in ipairs(rows) do
    if stringify(row.cells[1].contents) == '' then return 0 end
  end
  return 1
end

-- One table body per group of rows, so that a group's heading is the heading of its rows alone.
local function grouped(rows, columns, aligned)
  local heads = row_heads(rows)
  local bodies = { new_body(heads) }
  for _, row in ipairs(rows) do
    if common.is_group_row(row) then
      bodies[#bodies + 1] = new_body(heads, group_row(row, columns))
    else
      if heads == 1 then scoped({ row.cells[1] }, 'row') end
      keep_together(row, aligned)
      table.insert(bodies[#bodies].body, row)
    end
  end
  if #bodies > 1 and #bodies[1].body == 0 then table.remove(bodies, 1) end
  return bodies
end

-- Widths are kept only where the author gave columns different ones; else the browser finds better.
local function widths(specs)
  local first, differ = specs[1][2], false
  for _, spec in ipairs(specs) do
    if spec[2] and first and math.abs(spec[2] - first) > 0.005 then differ = true end
  end
  local out = {}
  for index, spec in ipairs(specs) do out[index] = { spec[1], differ and spec[2] or nil } end
  return out
end

local function accessible(tbl)
  local aligned = {}
  for index, spec in ipairs(tbl.colspecs) do
    aligned[index] = spec[1] == 'AlignRight' or spec[1] == 'AlignCenter'
  end
  for _, row in ipairs(tbl.head.rows) do name_empty(scoped(row.cells, 'col')) end
  if not rows.of(tbl) then
    local own = {}
    for _, body in ipairs(tbl.bodies) do
      for _, row in ipairs(body.body) do own[#own + 1] = row end
    end
    tbl.bodies = grouped(own, #tbl.colspecs, aligned)
  end
  tbl.colspecs = widths(tbl.colspecs)
  return tbl
end

----- Rows that were kept: the text that Pandoc would write for them -----------------------------------------

local STYLE = { AlignLeft = ' style="text-align: left;"', AlignRight = ' style="text-align: right;"',
  AlignCenter = ' style="text-align: center;"', AlignDefault = '' }

-- What stays on one line: a name that ends in a hyphen and digits; in a title, a word with a hyphen.
local NAME, HYPHENED = '%f[%w]%w*%a%-%d+', '%f[%w]%w+%-%w+'

-- A text in which what is of a pattern does not break; tags are left as they are.
local function unbroken(text, pattern)
  if not text:find('%w%-%w') then return text end
  local kept = ('>' .. text .. '<'):gsub('>([^<]+)<', function(words)
    return '>' .. words:gsub(pattern, '<span class="unbroken">%0</span>') .. '<'
  end)
  return kept:sub(2, -2)
end

local function set_cell(cell)
  local set = unbroken(cell.set, NAME)
  if cell.kind == 'value' then
    return '<span class="v" title="' .. cell.title:gsub('&#x27;', '&#39;') .. '">' .. set .. '</span>'
  end
  return cell.kind == 'strong' and '<strong>' .. set .. '</strong>' or set
end

local function set_row(row, specs, heads)
  local out = { '<tr>' }
  for position, cell in ipairs(row) do
    local class = cell_class(cell.plain, specs[position].aligned)
    local name = heads and position == 1 and 'th' or 'td'
    out[#out + 1] = '<' .. name .. (class and ' class="' .. class .. '"' or '') .. specs[position].style
      .. (name == 'th' and ' scope="row">' or '>') .. set_cell(cell) .. '</' .. name .. '>'
  end
  out[#out + 1] = '</tr>'
  return table.concat(out, '\n')
end

local function set_group(row, specs)
  return '<tr class="group">\n<th colspan="' .. #specs .. '"' .. specs[1].style .. ' scope="rowgroup">'
    .. set_cell(row[1]) .. '</th>\n</tr>\n'
end

-- One table body per group of rows, as grouped() makes them.
local function set_rows(found, specs)
  local heads, bodies = true, { {} }
  for _, row in ipairs(found) do heads = heads and row[1].plain ~= '' end
  for _, row in ipairs(found) do
    if row.group then
      bodies[#bodies + 1] = { set_group(row, specs) }
    else
      table.insert(bodies[#bodies], set_row(row, specs, heads))
    end
  end
  if #bodies > 1 and #bodies[1] == 0 then table.remove(bodies, 1) end
  for position, body in ipairs(bodies) do
    bodies[position] = '<tbody>\n' .. table.concat(body, '\n') .. '\n</tbody>'
  end
  return table.concat(bodies, '\n')
end

local function keep_specs(tbl)
  local found = rows.of(tbl)
  if not found then return end
  found.specs = {}
  for index, spec in ipairs(tbl.colspecs) do
    found.specs[index] = { style = STYLE[spec[1]], aligned = spec[1] == 'AlignRight' or spec[1] == 'AlignCenter' }
  end
end

-- Put the kept rows where a page has their keys.
local function fill_in(body)
  return (body:gsub('<tbody>\n<tr>\n<td[^>\n]*>' .. rows.key .. '(%d+)x+</td>.-</tbody>', function(key)
    local found = rows.kept[tonumber(key)]
    return set_rows(found, found.specs)
  end))
end

-- A table of more columns than a phone can hold keeps its first column in sight.
local MANY_COLUMNS = 4

local function scroll_box(tbl, label)
  local wide = #tbl.colspecs > MANY_COLUMNS and ' wide-table' or ''
  keep_specs(tbl)
  return pandoc.Blocks {
    raw('<div class="table-scroll' .. wide .. '" role="region" tabindex="0" ' .. label .. '>'), accessible(tbl), raw('</div>'),
  }
end

----- Floats, callouts, code -----------------------------------------------------------------------------

local NAMES = { fig = 'Figure', tbl = 'Table' }

local function caption_html(div, caption)
  local number = div.attributes.number
  local label = number and '<span class="float-label">' .. NAMES[div.attributes.kind] .. '&nbsp;' .. number
    .. '</span> ' or ''
  local headline, rest = common.split_headline(caption)
  local text = #rest > 0 and ' <span class="float-text">' .. fragment(rest) .. '</span>' or ''
  return label .. '<span class="float-title">' .. fragment(headline) .. '</span>' .. text
end

-- What a reader can take away: the values behind a table or figure, and the drawing.
local function downloads(div, body, folder)
  local name = div.attributes.number and NAMES[div.attributes.kind] .. ' ' .. div.attributes.number or 'this'
  local links, drawing = {}, nil
  local function add(href, text, what)
    links[#links + 1] = '<a href="' .. escape(href) .. '" download aria-label="' .. text .. ': ' .. what .. ' ' .. name
      .. '">' .. text .. '</a>'
  end
  body:walk { Image = function(image) drawing = drawing or image.src:match('^.+%.svg$') end }
  if div.attributes.data then add(common.relative(folder, div.attributes.data), 'CSV', 'the data of') end
  if drawing then add(drawing, 'SVG', 'the drawing of') end
  return #links > 0 and raw('<p class="downloads">' .. table.concat(links, ' ') .. '</p>') or nil
end

local function float(div, page)
  local caption, body = common.float_parts(div)
  local above, note = common.split_note(caption)
  page.floats = page.floats + 1
  local id = div.identifier ~= '' and div.identifier or 'float-' .. page.floats
  local label = #above > 0 and 'aria-labelledby="' .. id .. '-caption"' or 'aria-label="Table"'
  local out = pandoc.Blocks { raw('<figure class="float float-' .. div.attributes.kind .. '" id="' .. id .. '">') }
  if #above > 0 then
    out:insert(raw('<figcaption id="' .. id .. '-caption">' .. caption_html(div, above) .. '</figcaption>'))
  end
  for _, block in ipairs(body) do
    if block.t == 'Table' then out:extend(scroll_box(block, label)) else out:insert(block) end
  end
  if #note > 0 then out:insert(raw('<p class="note">' .. fragment(note) .. '</p>')) end
  out:insert(downloads(div, body, page.folder))
  out:insert(raw('</figure>'))
  return out
end

local function callout(div)
  local class, title, content = common.callout(div)
  if not class then return nil end
  local folded, out = div.attributes.collapse, pandoc.Blocks {}
  local name = '<span class="callout-kind">' .. common.callouts[class] .. '</span>'
  local heading = stringify(title) == common.callouts[class] and name
    or '<span class="visually-hidden">' .. common.callouts[class] .. ': </span>' .. fragment(title)
  if folded then
    out:insert(raw('<details class="callout ' .. class .. '"' .. (folded == 'false' and ' open' or '') .. '>'
      .. '<summary class="callout-title">' .. heading .. '</summary>'))
  else
    out:insert(raw('<div class="callout ' .. class .. '" role="note"><p class="callout-title">' .. heading .. '</p>'))
  end
  out:extend(content)
  out:insert(raw(folded and '</details>' or '</div>'))
  return out
end

local function code(block)
  if not block.classes:includes('cell-code') then return nil end
  local fold, summary = block.attributes.fold, block.attributes.summary
  block.classes = pandoc.List { 'python' }
  block.attributes.fold, block.attributes.summary = nil, nil
  if fold == 'false' then return block end
  return {
    raw('<details class="code"' .. (fold == 'show' and ' open' or '') .. '><summary>' .. escape(summary)
      .. '</summary>'), block, raw('</details>'),
  }
end

----- Links and numbers ----------------------------------------------------------------------------------------

local function href(scan, chapter, link)
  local attributes = link.attributes
  local to, anchor, file = attributes['to-chapter'], attributes['to-anchor'], attributes['to-file']
  attributes['to-chapter'], attributes['to-anchor'], attributes['to-file'] = nil, nil, nil
  if link.classes:includes('xref') then
    anchor = link.target:sub(2)
    to = scan.index[anchor].chapter.file
  end
  if file then return common.relative(chapter.folder, file) end
  if not to then return link.target end
  if to == chapter.file then return '#' .. anchor end
  return common.relative(chapter.folder, scan.by_file[to].page) .. '#' .. anchor
end

local function header(element)
  local number = element.attributes.number
  element.attributes.number = nil
  if number then
    element.content:insert(1, pandoc.Space())
    element.content:insert(1, pandoc.Span({ pandoc.Str(number) }, pandoc.Attr('', { 'section-number' })))
  end
  return element
end

local function equation(span)
  local number = span.identifier ~= '' and span.attributes.number
  if not number then return nil end
  span.attributes.number = nil
  span.content:insert(pandoc.Span({ pandoc.Str('(' .. number .. ')') }, pandoc.Attr('', { 'equation-number' })))
  return span
end

-- An image; where it was drawn again for narrow screens, the browser chooses.
local function image(element)
  local narrow = element.attributes.narrow
  element.attributes['fig-alt'], element.attributes.narrow = nil, nil
  if not narrow then return element end
  local source = '<source media="(max-width: 37.4rem)" srcset="' .. narrow:gsub('[&"<]', '') .. '">'
  return { pandoc.RawInline('html', '<picture>' .. source), element, pandoc.RawInline('html', '</picture>') }
end

-- A cell that shows nothing but its code.
local function silent_code(block)
  if block.t ~= 'Div' or not block.classes:includes('cell') or #block.content ~= 1 then return nil end
  local only = block.content[1]
  return only.t == 'CodeBlock' and only.classes:includes('cell-code') and only or nil
end

-- The code of a cell that shows prose alone.
local function code_of_prose(block)
  if block.t ~= 'Div' or not block.classes:includes('cell') or #block.content < 2 then return nil end
  local floats, last = false, block.content[#block.content]
  block:walk { Div = function(div) floats = floats or div.classes:includes('float') end }
  return not floats and last.t == 'CodeBlock' and last.classes:includes('cell-code') and last or nil
end

-- Cells of code alone that follow each other fold into one, and into the code of the prose that they lead to.
local function joined_code(blocks)
  local out, open = pandoc.Blocks {}, nil
  for _, block in ipairs(blocks) do
    local only = silent_code(block)
    if only and open then
      open.text = open.text .. '\n\n' .. only.text
      out[#out] = pandoc.Div({ open }, block.attr)
    elseif open and code_of_prose(block) then
      block.content[#block.content].text = open.text .. '\n\n' .. code_of_prose(block).text
      out[#out], open = block, nil
    elseif not common.is_marker(block) then
      out:insert(block)
      open = only
    end
  end
  return out
end

local function transform(scan, chapter, blocks)
  local page = { floats = 0, folder = chapter.folder }
  return joined_code(blocks):walk {
    Link = function(link) link.target = href(scan, chapter, link); return link end,
    Span = equation,
    Image = image,
    Header = header,
    CodeBlock = code,
    Div = function(div)
      if not common.visible(div, 'html') then return {} end
      if div.classes:includes('float') and div.attributes.kind then return float(div, page) end
      return callout(div)
    end,
  }
end

----- The page around it ---------------------------------------------------------------------------------------

local function on_this_page(scan, blocks)
  local entries = {}
  blocks:walk { Header = function(element)
    if element.level < 2 or element.level > scan.manifest.toc_depth then
      return nil
    end
    local entry = { href = '#' .. element.identifier, title = words(element.content), number = element.attributes.number,
      children = {} }
    if element.level == 2 or #entries == 0 then
      entries[#entries + 1] = entry
    else
      table.insert(entries[#entries].children, entry)
    end
  end }
  for _, entry in ipairs(entries) do
    if #entry.children == 0 then entry.children = nil end -- a template takes an empty list for one entry
  end
  return entries
end

local function link_to(chapter, target)
  return target and {
    href = common.relative(chapter.folder, target.page), title = menu_title(target), number = target.number,
    current = target == chapter,
  }
end

-- Parts open where the reader is, or where they are short enough to be seen at once.
local SHORT_PART = 8

local function navigation(scan, chapter)
  local parts, counts = {}, {}
  for _, other in ipairs(scan.manifest.chapters) do
    local whole = common.whole_part(other.part)
    if other.appendix then whole = whole .. ' (appendix)' end
    counts[whole] = (counts[whole] or 0) + 1
    local last = parts[#parts]
    if not last or last.title ~= other.part or last.appendix ~= other.appendix then
      last = { title = other.part, whole = whole, appendix = other.appendix, chapters = {} }
      if other.part == '' and other.appendix then last.title = 'Appendices' end
      parts[#parts + 1] = last
    end
    table.insert(last.chapters, link_to(chapter, other))
    last.open = last.open or other == chapter
  end
  for _, part in ipairs(parts) do part.open = part.open or counts[part.whole] <= SHORT_PART end
  return parts
end

local function page_literature(chapter, literature)
  local out = literature:filter(function(entry) return chapter.cites[entry.identifier] end)
  if #out == 0 then return out end
  local heading = pandoc.Header(2, 'References', pandoc.Attr('references', { 'unnumbered' }))
  return pandoc.Blocks { heading, pandoc.Div(out, pandoc.Attr('refs', { 'references' })) }
end

-- What is long stands in the page by a name until the template is done: it need not be laid out.
local BODY, AFTER = '\26body\26', '\26after\26' -- a sign that no text has

local function context(scan, position, entries)
  local chapters, manifest = scan.manifest.chapters, scan.manifest
  local chapter = chapters[position]
  local up = common.relative(chapter.folder, '')
  local styles = {}
  for index, path in ipairs(manifest.styles) do styles[index] = up .. path end
  return {
    lang = manifest.lang, book = escape(manifest.title), subtitle = escape(manifest.subtitle),
    authors = escape(manifest.authors), date = escape(manifest.date), version = escape(manifest.version),
    title = unbroken(menu_title(chapter), HYPHENED):gsub('(%a)/(%a)', '%1/<wbr>%2'), -- may break after a slash
    plaintitle = escape(chapter.plain_title), number = chapter.number,
    id = chapter.id, part = chapter.part ~= '' and escape(chapter.part) or nil, first = position == 1,
    styles = styles, script = up .. manifest.script, home = common.relative(chapter.folder, chapters[1].page),
    parts = navigation(scan, chapter), toc = #entries > 1 and { entries = entries } or nil,
    previous = link_to(chapter, chapters[position - 1]), following = link_to(chapter, chapters[position + 1]),
    pdf = manifest.pdf and up .. manifest.pdf or nil, body = BODY, up = up,
    citation = escape(manifest.citation), after = manifest.after ~= '' and AFTER or nil,
  }
end

local OPTIONS = { html_math_method = 'mathml', wrap_text = 'preserve' }

function html.settle()
  local options = pandoc.WriterOptions(OPTIONS)
  rows.settle('html', function(blocks) return pandoc.write(pandoc.Pandoc(blocks), 'html5', options) end)
end

-- What stands on a chapter's page, without what all pages share.
function html.fragment(scan, position, doc, literature)
  local blocks, chapter = doc.blocks, scan.manifest.chapters[position]
  blocks:extend(page_literature(chapter, literature))
  local entries = on_this_page(scan, blocks)
  local text = pandoc.Pandoc(transform(scan, chapter, blocks))
  local body = fill_in(pandoc.write(text, 'html5', pandoc.WriterOptions(OPTIONS)))
  return pandoc.json.encode(entries) .. '\n' .. body
end

-- What all pages share.
function html.shared(scan)
  local said, manifest = {}, scan.manifest
  for _, chapter in ipairs(manifest.chapters) do
    table.move({ menu_title(chapter), chapter.plain_title, chapter.number or '', chapter.page, chapter.part,
      tostring(chapter.appendix), chapter.id }, 1, 7, #said + 1, said)
  end
  table.move({ manifest.lang, manifest.title, manifest.subtitle, manifest.authors, manifest.date, manifest.version,
    manifest.citation, manifest.after, manifest.script, tostring(manifest.pdf), table.concat(manifest.styles, '\n') },
    1, 11, #said + 1, said)
  return table.concat(said, '\0')
end

function html.page(scan, position, fragment)
  local template = scan.template or pandoc.template.compile(common.read(scan.manifest.resources .. '/page.html'))
  scan.template = template
  local entries, body = fragment:match('^([^\n]*)\n(.*)$')
  local page = pandoc.template.apply(template, context(scan, position, pandoc.json.decode(entries, false)))
  local parts = { body = body, after = (scan.manifest.after:gsub('\n+$', '')) }
  return (pandoc.layout.render(page):gsub('\26(%l+)\26', parts)) .. '\n'
end

return html
