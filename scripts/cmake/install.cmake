# make install PREFIX=DIR: the command, the library, the headers (public ones at include/penstock/, formats at
# include/penstock/tree/formats/, so that `#include "formats/..."` works from the one folder that holds nothing else), a
# CMake package, the licence. All of it is the component `penstock`, so that it can be installed without what others add.
include(GNUInstallDirs)
include(CMakePackageConfigHelpers)
set(CMAKE_INSTALL_DEFAULT_COMPONENT_NAME penstock)

install(TARGETS penstock RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
install(DIRECTORY include/penstock DESTINATION include FILES_MATCHING PATTERN "*.hpp" PATTERN "*.h")
install(DIRECTORY formats DESTINATION include/penstock/tree FILES_MATCHING PATTERN "*.hpp" PATTERN "corpus" EXCLUDE)
install(FILES LICENSE DESTINATION ${CMAKE_INSTALL_DOCDIR})

# The library, and what a program that links it needs besides: packages that penstockConfig.cmake looks for.
set(package_dir ${CMAKE_INSTALL_LIBDIR}/cmake/penstock)
set(installed_targets penstock_host penstock_formats penstock_arithmetic)
set_target_properties(penstock_host PROPERTIES OUTPUT_NAME penstock EXPORT_NAME penstock)
set_property(TARGET penstock_formats PROPERTY EXPORT_NAME formats)
if(PENSTOCK_USES_ZLIB)
  target_link_libraries(penstock_host INTERFACE $<INSTALL_INTERFACE:ZLIB::ZLIB>)
endif()
if(PENSTOCK_USES_ISAL)
  target_link_libraries(penstock_host INTERFACE $<INSTALL_INTERFACE:penstock::isal>)
endif()
if(TARGET penstock_cuda)
  list(APPEND installed_targets penstock_cuda)
  set_property(TARGET penstock_cuda PROPERTY EXPORT_NAME cuda)
  target_link_libraries(penstock_cuda INTERFACE $<INSTALL_INTERFACE:CUDA::cudart_static>)
endif()
install(TARGETS ${installed_targets} EXPORT penstock ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR})
install(EXPORT penstock FILE penstockTargets.cmake NAMESPACE penstock:: DESTINATION ${package_dir})
configure_package_config_file(${CMAKE_CURRENT_LIST_DIR}/penstockConfig.cmake.in ${PROJECT_BINARY_DIR}/penstockConfig.cmake
  INSTALL_DESTINATION ${package_dir} NO_SET_AND_CHECK_MACRO)
write_basic_package_version_file(${PROJECT_BINARY_DIR}/penstockConfigVersion.cmake COMPATIBILITY SameMinorVersion)
install(FILES ${PROJECT_BINARY_DIR}/penstockConfig.cmake ${PROJECT_BINARY_DIR}/penstockConfigVersion.cmake
  DESTINATION ${package_dir})

# cpack -G DEB, or TGZ, in the build folder.
if(PROJECT_IS_TOP_LEVEL)
  set(CPACK_GENERATOR TGZ)
  set(CPACK_PACKAGE_CONTACT "the authors of penstock <penstock@localhost>")
  set(CPACK_INSTALL_CMAKE_PROJECTS "${PROJECT_BINARY_DIR};penstock;penstock;/")
  set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
  set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS ON)
  set(CPACK_PACKAGING_INSTALL_PREFIX /usr)
  include(CPack)
endif()
