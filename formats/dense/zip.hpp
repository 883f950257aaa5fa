/// Zip archives of stored (uncompressed) entries, which is what a .npz file is. README.md draws the layout;
/// the source of the rules is PKWARE's APPNOTE.TXT.
#pragma once

#include "formats/dense/zip_layout.hpp"
#include "formats/dense/zip_reader.hpp"
#include "formats/dense/zip_writer.hpp"
