-- What of a chapter matters to the rest of the book: headings, labels, links, citations, images. It is small, and the
-- book can be numbered and its references resolved from the skeletons of all chapters as from the chapters.
local common = require 'common'

local skeleton = {}

local reduced

local function gather(elements)
  local found = pandoc.Blocks {}
  local function keep(inline)
    found:insert(pandoc.Plain { inline })
    return inline, false
  end
  elements:walk {
    traverse = 'topdown',
    Header = function(header) found:insert(header); return header, false end,
    Div = function(div) found:insert(reduced(div)); return div, false end,
    RawBlock = function(block) if common.is_marker(block) then found:insert(block) end end,
    Cite = keep, Link = keep, Image = keep,
    Span = function(span)
      if span.identifier == '' then return nil end
      found:insert(pandoc.Plain { pandoc.Span(pandoc.utils.blocks_to_inlines(gather(span.content)), span.attr) })
      return span, false
    end,
  }
  return found
end

-- A caption's words matter to nobody else, but whether there is one does.
function reduced(div)
  local content = gather(div.content)
  if div.classes:includes('float-caption') and #div.content > 0 then
    content:insert(1, pandoc.Plain { pandoc.Str('x') })
  end
  return pandoc.Div(content, div.attr)
end

function skeleton.of(blocks) return pandoc.Pandoc(gather(blocks)) end

function skeleton.text(doc) return pandoc.write(doc, 'json') end

function skeleton.read(text) return pandoc.read(text, 'json') end

return skeleton
