# make install PREFIX=DIR: the command, the headers (nouns at include/penstock/, formats at include/penstock/tree/formats/,
# so that `#include "formats/..."` works from the one folder that holds nothing else), a CMake package, the licence.
include(GNUInstallDirs)
include(CMakePackageConfigHelpers)

install(TARGETS penstock RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
install(DIRECTORY include/penstock DESTINATION include FILES_MATCHING PATTERN "*.hpp")
install(DIRECTORY formats DESTINATION include/penstock/tree FILES_MATCHING PATTERN "*.hpp" PATTERN "corpus" EXCLUDE)
install(FILES LICENSE DESTINATION ${CMAKE_INSTALL_DOCDIR})

set(package_dir ${CMAKE_INSTALL_LIBDIR}/cmake/penstock)
install(TARGETS penstock_formats penstock_arithmetic EXPORT penstock)
set_property(TARGET penstock_formats PROPERTY EXPORT_NAME formats)
install(EXPORT penstock FILE penstockConfig.cmake NAMESPACE penstock:: DESTINATION ${package_dir})
write_basic_package_version_file(${PROJECT_BINARY_DIR}/penstockConfigVersion.cmake
  COMPATIBILITY SameMinorVersion ARCH_INDEPENDENT)
install(FILES ${PROJECT_BINARY_DIR}/penstockConfigVersion.cmake DESTINATION ${package_dir})
